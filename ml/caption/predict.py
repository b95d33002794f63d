"""Calibrated emotions of captions by the shipped head."""

from collections.abc import Sequence

import numpy as np

from ml.calibration import Floats, softmax
from ml.caption.encoder import clean, embed
from ml.manifest import entry
from ml.networks import network


def predict(captions: Sequence[str]) -> Floats:
    """Return (n, 7) probabilities in the order of EMOTIONS for n captions that are not empty."""
    logits = np.asarray(network("caption")(embed(captions), training=False), dtype=np.float64)
    return softmax(logits, entry("caption")["temperature"])


def is_empty(caption: str) -> bool:
    """Return whether a caption says nothing: nothing but blanks and control characters."""
    return not clean(caption)
