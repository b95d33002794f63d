"""Anchors of the 28 fine emotions in the valence x energy plane."""

from collections.abc import Mapping

import numpy as np

from ml.caption.labels import FINE
from ml.mood import EMOTION_ANCHORS

_SAME = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprise",
}


def fine_anchors(norms: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return valence and energy in [0, 1] of the 28 labels of GoEmotions.

    `norms` are valence and arousal of the labels as words (NRC VAD, Mohammad 2018). Each axis is
    fitted linearly (least squares) so that the seven words that name our emotions are close to the
    anchors of `ml.mood`. So both agree on an emotion, and the words add what Ekman's groups hide:
    relief is calmer than excitement, confusion less pleasant than curiosity. Raises KeyError if a
    word has no norm.
    """
    there = np.array([norms[word] for word in _SAME])
    here = np.array([EMOTION_ANCHORS[name] for name in _SAME.values()])
    lines = [np.polyfit(there[:, axis], here[:, axis], 1) for axis in (0, 1)]
    return {
        word: (
            round(float(np.clip(np.polyval(lines[0], norms[word][0]), 0, 1)), 3),
            round(float(np.clip(np.polyval(lines[1], norms[word][1]), 0, 1)), 3),
        )
        for word in FINE
    }
