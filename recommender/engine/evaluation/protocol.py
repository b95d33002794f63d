"""The evaluation protocols: warm, cold, mood and, where lists have titles, title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ml.mood import Gaussian
from recommender.engine.evaluation import blend, splits
from recommender.engine.evaluation.data import BoolArray, Dataset, IntArray
from recommender.engine.evaluation.evidence import Trained, train
from recommender.engine.evaluation.metrics import Lists
from recommender.engine.evaluation.rankers import BY_TITLE, WITHOUT_MOOD, Ranker, hybrid, with_mood
from recommender.engine.evaluation.splits import Protocol, Split
from recommender.engine.tracks.content import FloatArray

NOISES = (0.05, 0.1, 0.2)
Metrics = dict[str, float]


def evaluate(data: Dataset, seed: int = 0) -> dict[str, Any]:
    """`warm`, `cold`, `mood` and maybe `title` -> (noise ->) ranker -> metric."""
    from threadpoolctl import threadpool_limits

    # Separate random streams, so that the protocols don't depend on each other.
    warm_rng, cold_rng, mood_rng, title_rng = np.random.default_rng(seed).spawn(4)
    untitled = replace(data, titles=())  # so that titles help in their own task alone
    # One person's scores are too small for threads; evaluation.ease uses all cores again.
    with threadpool_limits(1, "blas"):
        return {
            "warm": _without_mood(untitled, splits.warm, warm_rng, WITHOUT_MOOD),
            "cold": _without_mood(untitled, splits.cold, cold_rng, WITHOUT_MOOD),
            "mood": _with_mood(untitled, splits.one_each, mood_rng),
        } | (
            {"title": _without_mood(data, splits.newcomers, title_rng, BY_TITLE)}
            if any(data.titles)
            else {}
        )


def _without_mood(
    data: Dataset, protocol: Protocol, rng: np.random.Generator, compared: Mapping[str, Ranker]
) -> dict[str, Metrics]:
    split = protocol(data, rng)
    weights = fitted_weights(data.part(~split.test), protocol, rng)
    trained = train(data.part(~split.test))
    rankers = {**compared, "hybrid": hybrid(weights)}
    lists = {name: Lists(data) for name in rankers}
    for user, relevant in held_out(data, split):
        hidden = _hidden(trained, split, user)
        for name, ranker in rankers.items():
            lists[name].add(np.where(hidden, -np.inf, ranker(trained, user)), relevant)
    return {name: result.metrics() for name, result in lists.items()}


def _with_mood(
    data: Dataset, protocol: Protocol, rng: np.random.Generator
) -> dict[str, dict[str, Metrics]]:
    split = protocol(data, rng)
    weights = fitted_weights(data.part(~split.test), protocol, rng)
    trained = train(data.part(~split.test))
    probability = hybrid(weights)
    # Rankers that ignore the mood are measured once and reported for every noise level.
    without_mood = {name: Lists(data) for name in WITHOUT_MOOD}
    results: dict[float, dict[str, Lists]] = {noise: {} for noise in NOISES}
    for user, relevant in held_out(data, split):
        hidden = _hidden(trained, split, user)
        for name, ranker in WITHOUT_MOOD.items():
            without_mood[name].add(np.where(hidden, -np.inf, ranker(trained, user)), relevant)
        known = np.where(hidden, -np.inf, probability(trained, user))
        for noise, lists in results.items():
            mood = _mood(data.mood_points[relevant[0]], noise, rng)
            for name, scores in with_mood(data, known, mood).items():
                scores[hidden] = -np.inf
                lists.setdefault(name, Lists(data)).add(scores, relevant)
    shared = {name: lists.metrics() for name, lists in without_mood.items()}
    return {
        f"{noise:g}": shared | {name: ranked.metrics() for name, ranked in lists.items()}
        for noise, lists in results.items()
    }


def fitted_weights(data: Dataset, protocol: Protocol, rng: np.random.Generator) -> FloatArray:
    """The hybrid's weights, fitted by the same protocol within the training data."""
    inner = rng.spawn(1)[0]
    split = protocol(data, inner)
    relevant = [*held_out(data, split)]
    return blend.fit_weights(train(data.part(~split.test)), relevant, split.listed, inner)


def held_out(data: Dataset, split: Split) -> Iterator[tuple[int, IntArray]]:
    """The held-out items of each scored user who has any."""
    users, items = data.users[split.test], data.items[split.test]
    bounds = np.searchsorted(users, np.arange(data.n_users + 1))
    slices = [*pairwise(bounds)]
    for user in data.scored:
        start, stop = slices[user]
        if stop > start:
            yield int(user), items[start:stop]


def _hidden(trained: Trained, split: Split, user: int) -> BoolArray:
    """(n_items,): items that aren't ranked for this user."""
    hidden: BoolArray = ~split.listed
    hidden[trained.saved_by(user)] = True
    return hidden


def _mood(point: FloatArray, noise: float, rng: np.random.Generator) -> Gaussian:
    """The held-out item's mood with Gaussian noise of this standard deviation."""
    return Gaussian(point + rng.normal(0.0, noise, 2), np.eye(2) * noise**2)
