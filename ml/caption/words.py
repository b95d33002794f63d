"""Encode the words of a caption as numbers, by the hashes of the words seen in training.

0 is padding, 1 a word not seen in training.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.caption.text import Hashes, hashed, tokens

Ids = NDArray[np.int32]

MAX_WORDS = 120
"""Words read of one caption; one text in a thousand has more."""

UNKNOWN = 1
FIRST = 2
"""The number of the first word of a vocabulary."""


def ids_of(words: Hashes, known: Hashes) -> Ids:
    """Return the numbers of the first MAX_WORDS words in the sorted vocabulary."""
    words = words[:MAX_WORDS]
    places = np.minimum(np.searchsorted(known, words), len(known) - 1)
    return np.where(known[places] == words, places + FIRST, UNKNOWN).astype(np.int32)


def padded(rows: Sequence[Ids]) -> Ids:
    """Return the rows as one (n, longest) array, padded with 0."""
    result = np.zeros((len(rows), max((len(row) for row in rows), default=0) or 1), dtype=np.int32)
    for filled, row in zip(result, rows, strict=True):
        filled[: len(row)] = row
    return result


def read_words(caption: str, known: Hashes) -> Ids:
    """Return the numbers of a caption's words."""
    return ids_of(hashed(tokens(caption)), known)
