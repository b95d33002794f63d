"""The 28 labels that the caption network predicts, and the seven emotions that they belong to."""

from collections.abc import Mapping, Sequence

import numpy as np

from ml.labels import EMOTIONS
from ml.types import Float32Array

# Ekman's grouping of the 27 GoEmotions and neutral (Demszky et al. 2020, appendix), by our names.
_MEMBERS = {
    "angry": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "happy": "joy amusement approval excitement gratitude love optimism relief pride admiration"
    " desire caring",
    "neutral": "neutral",
    "sad": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
}
GROUP = {member: name for name, members in _MEMBERS.items() for member in members.split()}

FINE = tuple(sorted(GROUP))
"""The 28 labels of GoEmotions: what the network tells apart."""


def matrix(names: Sequence[str], place: Mapping[str, str]) -> Float32Array:
    """Return (28, n) ones where `place` puts a fine label under one of n names, else zeros."""
    rows = [[float(place[fine] == name) for name in names] for fine in FINE]
    return np.array(rows, dtype=np.float32)


TO_SEVEN = matrix(EMOTIONS, GROUP)
"""(28, 7): fine probabilities times this are those of the seven emotions."""
