"""The labels of the two text collections as targets: GoEmotions' 28 and the six of "emotion"."""

from collections.abc import Sequence

import numpy as np

from ml.caption.labels import FINE, GROUP, matrix
from ml.labels import EMOTIONS
from ml.types import Float32Array

# "emotion" (Saravia et al. 2018) has six labels and tells love from joy. Love is affection, lust
# and longing in the tree of emotions by Shaver et al. (1987): here love, caring and desire.
SIX = ("anger", "fear", "joy", "love", "sadness", "surprise")
_LOVE = {"love", "caring", "desire"}
EIGHT = (*EMOTIONS, "love")
"""The seven emotions with love apart from happy: classes for the labels of both collections."""

_SIX_IN_EIGHT = dict(zip(SIX, ("angry", "fear", "happy", "love", "sad", "surprise"), strict=True))

TO_EIGHT = matrix(EIGHT, GROUP | dict.fromkeys(_LOVE, "love"))
"""(28, 8): maps fine probabilities to the seven emotions with love apart."""

TO_SIX = TO_EIGHT[:, [EIGHT.index(_SIX_IN_EIGHT[name]) for name in SIX]]
"""(28, 6): maps them to the six labels of "emotion", which lack neutral and disgust."""


def fine_shares(labels: Sequence[str]) -> Float32Array:
    """Return (28,) equal shares of GoEmotions labels; raise KeyError if one is unknown."""
    result = np.zeros(len(FINE), dtype=np.float32)
    for label in labels:
        result[_PLACES[label]] = 1 / len(labels)
    return result


def eight_of(label: str) -> Float32Array:
    """Return (8,), one where a label of "emotion" or one of the seven emotions lies."""
    name = _SIX_IN_EIGHT.get(label, label)
    return np.array([float(name == each) for each in EIGHT], dtype=np.float32)


_PLACES = {name: k for k, name in enumerate(FINE)}
