"""The three questions put to every ranker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender.engine.offline import metrics, splits
from recommender.engine.offline.data import Dataset, IntArray
from recommender.engine.offline.rankers import (
    ASK_ANYTHING,
    DEAF_TO_MOOD,
    WITH_MOOD,
    Ranker,
    Trained,
    hybrid,
    train,
)
from recommender.engine.offline.splits import Split
from recommender.engine.scoring import Mood

NOISES = (0.05, 0.1, 0.2)
Metrics = dict[str, float]


def evaluate(data: Dataset, seed: int = 0) -> dict[str, dict[str, Any]]:
    """`warm`, `cold` and `mood` -> (noise ->) ranker -> metric."""
    # A stream of chance for each question, so that one does not depend on another.
    warm_rng, cold_rng, mood_rng = np.random.default_rng(seed).spawn(3)
    return {
        "warm": _without_mood(data, splits.warm(data, warm_rng), warm_rng),
        "cold": _without_mood(data, splits.cold(data, cold_rng), cold_rng),
        "mood": _with_mood(data, splits.one_each(data, mood_rng), mood_rng),
    }


def _without_mood(data: Dataset, split: Split, rng: np.random.Generator) -> dict[str, Metrics]:
    trained = _trained(data, split)
    asked = [(user, wanted, ASK_ANYTHING) for user, wanted in _wanted(data, split)]
    return _measure(trained, split, asked, DEAF_TO_MOOD | {"hybrid": hybrid}, rng)


def _with_mood(
    data: Dataset, split: Split, rng: np.random.Generator
) -> dict[str, dict[str, Metrics]]:
    trained = _trained(data, split)
    # What does not listen to the mood is measured once and stands beside every noise.
    asked = [(user, wanted, ASK_ANYTHING) for user, wanted in _wanted(data, split)]
    deaf = _measure(trained, split, asked, DEAF_TO_MOOD, rng)
    return {
        f"{noise:g}": deaf
        | _measure(trained, split, _moods(data, split, noise, rng), WITH_MOOD, rng)
        for noise in NOISES
    }


def _trained(data: Dataset, split: Split) -> Trained:
    return train(data, data.users[~split.test], data.items[~split.test])


def _wanted(data: Dataset, split: Split) -> list[tuple[int, IntArray]]:
    """What was held out of every scored user, where something was."""
    users, items = data.users[split.test], data.items[split.test]
    starts = np.searchsorted(users, data.scored)
    stops = np.searchsorted(users, data.scored, side="right")
    return [
        (int(user), items[start:stop])
        for user, start, stop in zip(data.scored, starts, stops, strict=True)
        if stop > start
    ]


def _moods(
    data: Dataset, split: Split, noise: float, rng: np.random.Generator
) -> list[tuple[int, IntArray, Mood]]:
    """The mood of the held-out item as a photo would tell it: with noise of this sd."""
    return [
        (
            user,
            wanted,
            Mood(data.mood_points[wanted[0]] + rng.normal(0.0, noise, 2), np.eye(2) * noise**2),
        )
        for user, wanted in _wanted(data, split)
    ]


def _measure(
    trained: Trained,
    split: Split,
    asked: list[tuple[int, IntArray, Mood]],
    rankers: Mapping[str, Ranker],
    rng: np.random.Generator,
) -> dict[str, Metrics]:
    rows: dict[str, list[Metrics]] = {name: [] for name in rankers}
    for user, wanted, mood in asked:
        hidden = ~split.listed
        hidden[trained.saved_by(user)] = True
        for name, ranker in rankers.items():
            scores = np.where(hidden, -np.inf, ranker(trained, user, mood, rng))
            rows[name].append(metrics.of_one_list(metrics.ranks_of(scores, wanted)))
    return {name: metrics.mean(lists) for name, lists in rows.items()}
