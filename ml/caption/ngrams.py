"""The n-grams of a caption as numbers: those that training has seen, by the hashes it has kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.caption.text import Hashes, hashed, ngrams, tokens, words_of

Ids = NDArray[np.int32]

MOST = 320
"""N-grams of one caption that are read; nine texts of ten have fewer."""


def vocabulary(texts: Sequence[Hashes], least: int, most: int) -> Hashes:
    """Return the sorted hashes of the n-grams that at least `least` texts have, the `most`
    frequent of them."""
    grams, counts = np.unique(np.concatenate(texts), return_counts=True)
    often = np.argsort(-counts, kind="stable")[:most]
    return np.sort(grams[often[counts[often] >= least]])


def ids_of(grams: Hashes, known: Hashes) -> Ids:
    """Return the places, counted from 1, of those n-grams that are in the sorted vocabulary."""
    places = np.minimum(np.searchsorted(known, grams), len(known) - 1)
    found = places[known[places] == grams] + 1
    return np.asarray(found[:MOST], dtype=np.int32)


def share_known(caption: str, known: Hashes) -> float:
    """Return which share of a caption's words the network knows; 1 if it has no words."""
    words = words_of(caption)
    return len(ids_of(words, known)) / len(words) if len(words) else 1.0


def padded(rows: Sequence[Ids]) -> Ids:
    """Return the rows as one (n, longest) array, filled up with 0."""
    result = np.zeros((len(rows), max((len(row) for row in rows), default=0) or 1), dtype=np.int32)
    for filled, row in zip(result, rows, strict=True):
        filled[: len(row)] = row
    return result


def read_ngrams(caption: str, known: Hashes) -> Ids:
    """Return the n-grams of a caption that the network knows."""
    return ids_of(hashed(ngrams(tokens(caption))), known)
