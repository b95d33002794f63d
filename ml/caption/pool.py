"""Pool the two halves of the caption network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ml.calibration import softmax
from ml.types import Float64Array


def pooled(
    sentence: ArrayLike, words: ArrayLike, weights: Sequence[float], trust: ArrayLike = 1.0
) -> Float64Array:
    """Return (n, classes) probabilities from the logits of both halves.

    A logarithmic opinion pool (Genest & Zidek 1986): a weighted sum of logits, whose weights act as
    temperatures too. `weights` are those of sentence and words, and that of the sentence alone;
    `trust` (n,) in [0, 1] interpolates between the two cases: the words are trained on comments and
    tweets, and count if a caption reads like those.
    """
    of_sentence, of_words, alone = weights
    share = np.asarray(trust)[..., None]
    ours = share * of_sentence + (1 - share) * alone
    return softmax(ours * np.asarray(sentence) + share * of_words * np.asarray(words))
