"""Frozen image features: DINOv2 ViT-S/14 (Oquab et al. 2023) through onnxruntime."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import onnxruntime
from PIL import Image

from ml.manifest import weights_file
from ml.types import Float32Array

WIDTH = 768
"""Features of one view: the class token (384), then the mean of the patch tokens (384)."""

SIDE = 224
"""Side in pixels of a view."""

_MEAN = np.array((0.485, 0.456, 0.406), dtype=np.float32)  # ImageNet, as DINOv2 was trained
_SD = np.array((0.229, 0.224, 0.225), dtype=np.float32)
_LAST = "/norm/Add_1_output_0"
"""All 257 tokens after the last normalisation; the packaged graph returns only pooled patches."""

FROZEN_BLOCKS = 10
"""Blocks, of twelve, before the tokens that our own two tuned blocks take."""

_INNER = f"/blocks.{FROZEN_BLOCKS - 1}/Add_1_output_0"
_LATE = f"/blocks.{FROZEN_BLOCKS}/Add_1_output_0"

TOKENS = (257, 384)
"""A class token and 16 x 16 patch tokens of 384 numbers."""


class Encoding(NamedTuple):
    """The backbone's output for n views.

    `tokens` (n, 257, 384) are those after FROZEN_BLOCKS blocks, `late` (n, WIDTH) summarise those
    after one more and `features` (n, WIDTH) those after the last block.
    """

    tokens: Float32Array
    late: Float32Array
    features: Float32Array


def with_output(model: bytes, name: str) -> bytes:
    """Return an ONNX model that also returns the inner tensor `name`.

    Concatenated protocol buffers are merged, so ModelProto{graph{output{name}}} (fields 7,
    12 and 1 of onnx.proto) behind the file adds an output without the onnx package.
    """
    message = name.encode()
    for field in (1, 12, 7):
        message = bytes((field << 3 | 2, len(message))) + message
    return model + message


@cache
def session() -> onnxruntime.InferenceSession:
    """Return the loaded backbone, once per process."""
    return session_of("dinov2", _INNER, _LATE, _LAST)


def session_of(weights: str, *inner: str) -> onnxruntime.InferenceSession:
    """Return a session of packaged weights that also returns inner tensors."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Spinning idle threads would take CPU time from the rest of the worker.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    model = weights_file(weights).read_bytes()
    for name in inner:
        model = with_output(model, name)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def preprocess(photo: Image.Image) -> Image.Image:
    """Return the whole photo squeezed into a square, so that nothing at the edges is lost."""
    return photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2)


def pixels(views: Sequence[Image.Image]) -> Float32Array:
    """Return n RGB views as (n, 3, SIDE, SIDE), standardised as for ImageNet."""
    values = np.stack([np.asarray(view, dtype=np.float32) / 255 for view in views])
    return np.ascontiguousarray(((values - _MEAN) / _SD).transpose(0, 3, 1, 2))


def encode(views: Sequence[Image.Image]) -> Encoding:
    """Return the backbone's output for n RGB views of 224 by 224 pixels."""
    tokens, late, last = session().run([_INNER, _LATE, _LAST], {"input": pixels(views)})
    return Encoding(tokens.astype(np.float32), summary(late), summary(last))


def summary(tokens: Float32Array) -> Float32Array:
    """Return the class token and the mean of the patch tokens (n, WIDTH)."""
    return np.concatenate([tokens[:, 0], tokens[:, 1:].mean(axis=1)], axis=1, dtype=np.float32)
