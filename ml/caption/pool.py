"""The two halves of the caption network become one answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ml.arrays import Float64Array
from ml.calibration import softmax


def pooled(
    sentence: ArrayLike, words: ArrayLike, weights: Sequence[float], trust: ArrayLike = 1.0
) -> Float64Array:
    """Return (n, classes) probabilities of the logits of both halves.

    A logarithmic opinion pool (Genest & Zidek 1986): logits are added with a weight each, which
    are temperatures at the same time. `weights` are those of sentence and words, and that of a
    sentence alone; `trust` (n,) says how much the first two hold, from 0 to 1: the words have
    learned from comments and tweets, and are heard where a caption reads like those.
    """
    of_sentence, of_words, alone = weights
    share = np.asarray(trust)[..., None]
    ours = share * of_sentence + (1 - share) * alone
    return softmax(ours * np.asarray(sentence) + share * of_words * np.asarray(words))
