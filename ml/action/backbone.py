"""Frozen image features: DINOv2 ViT-S/14 (Oquab et al. 2023) through onnxruntime."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from ml.manifest import weights_file

Floats = NDArray[np.float32]

WIDTH = 768
"""Features of one view: the class token (384), then the mean of the patch tokens (384)."""

_SIDE = 224
_MEAN = np.array((0.485, 0.456, 0.406), dtype=np.float32)  # ImageNet, as DINOv2 was trained
_SD = np.array((0.229, 0.224, 0.225), dtype=np.float32)
_TOKENS = "/norm/Add_1_output_0"
"""All 257 tokens after the last normalisation; the packaged graph returns only pooled patches."""


def _with_output(model: bytes, name: str) -> bytes:
    """Return an ONNX model that also returns the inner tensor `name`.

    Protocol buffers joined end to end are merged, so ModelProto{graph{output{name}}} (fields 7,
    12 and 1 of onnx.proto) behind the file adds an output without the onnx package.
    """
    message = name.encode()
    for field in (1, 12, 7):
        message = bytes((field << 3 | 2, len(message))) + message
    return model + message


@cache
def session() -> onnxruntime.InferenceSession:
    """Return the loaded backbone, once per process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Idle threads that spin would take the cores from the rest of the worker.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    model = _with_output(weights_file("dinov2").read_bytes(), _TOKENS)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def whole(photo: Image.Image) -> Image.Image:
    """Return the whole photo pressed into a square: nothing at the edges is lost."""
    return photo.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=2)


def middle(photo: Image.Image) -> Image.Image:
    """Return the middle square of the photo in true proportions."""
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    return photo.convert("RGB").resize(
        (_SIDE, _SIDE), Image.Resampling.BICUBIC, box=box, reducing_gap=2
    )


VIEWS: dict[str, Callable[[Image.Image], Image.Image]] = {"whole": whole, "middle": middle}


def features(views: Sequence[Image.Image]) -> Floats:
    """Return (n, 768) features of n RGB views of 224 by 224 pixels."""
    pixels = np.stack([np.asarray(view, dtype=np.float32) / 255 for view in views])
    batch = ((pixels - _MEAN) / _SD).transpose(0, 3, 1, 2)
    (tokens,) = session().run([_TOKENS], {"input": np.ascontiguousarray(batch)})
    return np.concatenate([tokens[:, 0], tokens[:, 1:].mean(axis=1)], axis=1).astype(np.float32)
