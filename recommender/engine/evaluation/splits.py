"""Random splits into training and held-out interactions, per protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recommender.engine.evaluation.data import BoolArray, Dataset

WARM_TEST_SHARE = 0.2
COLD_ITEM_SHARE = 0.2
NEWCOMER_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """The held-out interactions and the items that may be listed."""

    test: BoolArray
    """(n,): whether each interaction is held out."""
    listed: BoolArray
    """(n_items,): whether each item is ranked."""


Protocol = Callable[[Dataset, np.random.Generator], Split]


def warm(data: Dataset, rng: np.random.Generator) -> Split:
    """Hold out a fifth of every user's items, at least one."""
    test = np.zeros(len(data.users), dtype=np.bool_)
    for start, stop in pairwise(data.bounds()):
        n_test = max(1, round(WARM_TEST_SHARE * (stop - start)))
        test[rng.permutation(stop - start)[:n_test] + start] = True
    return Split(test, np.ones(data.n_items, dtype=np.bool_))


def cold(data: Dataset, rng: np.random.Generator) -> Split:
    """Hold out a fifth of the items with all their interactions; rank only those."""
    listed = np.zeros(data.n_items, dtype=np.bool_)
    known = np.unique(data.items)
    listed[rng.permutation(known)[: round(COLD_ITEM_SHARE * len(known))]] = True
    return Split(listed[data.items], listed)


def newcomers(data: Dataset, rng: np.random.Generator) -> Split:
    """Hold out all items of a fifth of the scored users with a title, at least of one."""
    named = np.array([bool(title) for title in data.titles])
    people = np.intersect1d(data.users, data.scored[named[data.scored]])
    drawn = rng.permutation(people)[: max(1, round(NEWCOMER_SHARE * len(people)))]
    return Split(np.isin(data.users, drawn), np.ones(data.n_items, dtype=np.bool_))


def one_each(data: Dataset, rng: np.random.Generator) -> Split:
    """Hold out one item of every user, whose mood is the query."""
    test = np.zeros(len(data.users), dtype=np.bool_)
    bounds = data.bounds()
    test[[rng.integers(start, stop) for start, stop in pairwise(bounds) if stop > start]] = True
    return Split(test, np.ones(data.n_items, dtype=np.bool_))
