"""How the labels of the two text collections and our seven emotions belong together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.labels import EMOTIONS

Floats = NDArray[np.float32]

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

# "emotion" (Saravia et al. 2018) has six labels and tells love from joy. Love is affection, lust
# and longing in the tree of emotions by Shaver et al. (1987): here love, caring and desire.
SIX = ("anger", "fear", "joy", "love", "sadness", "surprise")
_LOVE = {"love", "caring", "desire"}
EIGHT = (*EMOTIONS, "love")
"""The seven emotions with love apart from happy: what both collections' labels can be put in."""

_SIX_IN_EIGHT = dict(zip(SIX, ("angry", "fear", "happy", "love", "sad", "surprise"), strict=True))


def _matrix(names: Sequence[str], place: dict[str, str]) -> Floats:
    rows = [[float(place[fine] == name) for name in names] for fine in FINE]
    return np.array(rows, dtype=np.float32)


TO_SEVEN = _matrix(EMOTIONS, GROUP)
"""(28, 7): fine probabilities times this are those of the seven emotions."""

TO_EIGHT = _matrix(EIGHT, GROUP | dict.fromkeys(_LOVE, "love"))
"""(28, 8): the same with love apart."""

TO_SIX = TO_EIGHT[:, [EIGHT.index(_SIX_IN_EIGHT[name]) for name in SIX]]
"""(28, 6): the same for the six labels of "emotion", which have no place for neutral, disgust."""


def fine_shares(labels: Sequence[str]) -> Floats:
    """Return (28,) equal shares of GoEmotions labels; KeyError if one is unknown."""
    result = np.zeros(len(FINE), dtype=np.float32)
    for label in labels:
        result[_PLACES[label]] = 1 / len(labels)
    return result


def eight_of(label: str) -> Floats:
    """Return (8,), one where a label of "emotion" or one of the seven emotions lies."""
    name = _SIX_IN_EIGHT.get(label, label)
    return np.array([float(name == each) for each in EIGHT], dtype=np.float32)


_PLACES = {name: k for k, name in enumerate(FINE)}
