"""The two halves of the caption network become one answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ml.calibration import Floats, softmax

BARELY, WELL = 0.5, 0.75
"""Shares of a caption's words that are known: up to the first its words count for nothing, from
the second on fully. English captions of the development set lie above, other languages below."""


def pooled(
    sentence: ArrayLike, words: ArrayLike, weights: Sequence[float], known: ArrayLike = 1.0
) -> Floats:
    """Return (n, classes) probabilities of the logits of both halves.

    A logarithmic opinion pool (Genest & Zidek 1986): logits are added with a weight each, which
    are temperatures at the same time. `weights` are those of sentence and words where the words
    are known, and that of a sentence alone; `known` says which share of the words is, (n,).
    """
    of_sentence, of_words, alone = weights
    trust = np.clip((np.asarray(known) - BARELY) / (WELL - BARELY), 0, 1)[..., None]
    ours = trust * of_sentence + (1 - trust) * alone
    return softmax(ours * np.asarray(sentence) + trust * of_words * np.asarray(words))
