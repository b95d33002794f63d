"""What is compared: simple rankers, and the product's own score as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender.engine.content import FloatArray
from recommender.engine.offline.data import Dataset, IntArray
from recommender.engine.offline.neighbours import Neighbours, fit
from recommender.engine.scoring import Candidates, Mood, Weights, mood_terms, score_terms, total
from recommender.engine.taste import Taste, taste_scores

ASK_ANYTHING = Mood(np.full(2, 0.5), np.eye(2) * 1e6)
"""Of a person who tells no mood: so wide that every track fits equally."""


@dataclass(frozen=True)
class Trained:
    """What rankers may know: the training part, and the tracks themselves."""

    data: Dataset
    users: IntArray
    items: IntArray
    popularity: FloatArray
    """(n_items,) in [0, 1]: logarithm of how many have it, by the highest."""
    neighbours: Neighbours

    def saved_by(self, user: int) -> IntArray:
        """What the training part says of this user."""
        start, stop = np.searchsorted(self.users, [user, user + 1])
        return self.items[start:stop]


Ranker = Callable[[Trained, int, Mood, np.random.Generator], FloatArray]


def train(data: Dataset, users: IntArray, items: IntArray) -> Trained:
    """Learn from these interactions alone."""
    counts = np.log1p(np.bincount(items, minlength=data.n_items))
    neighbours = fit(users, items, data.n_items)
    return Trained(data, users, items, counts / counts.max(), neighbours)


def at_random(trained: Trained, _user: int, _mood: Mood, rng: np.random.Generator) -> FloatArray:
    return rng.random(trained.data.n_items)


def by_popularity(
    trained: Trained, _user: int, _mood: Mood, _rng: np.random.Generator
) -> FloatArray:
    return trained.popularity


def by_mood(trained: Trained, _user: int, mood: Mood, _rng: np.random.Generator) -> FloatArray:
    return mood_terms(trained.data.mood_points, mood)


def by_taste(trained: Trained, user: int, _mood: Mood, _rng: np.random.Generator) -> FloatArray:
    return taste_scores(trained.data.content, taste_of(trained, trained.saved_by(user)))


def by_neighbours(
    trained: Trained, user: int, _mood: Mood, _rng: np.random.Generator
) -> FloatArray:
    return trained.neighbours.scores(trained.saved_by(user))


def hybrid(trained: Trained, user: int, mood: Mood, _rng: np.random.Generator) -> FloatArray:
    """The score of suggest_tracks, without its chance and its rules of variety."""
    saved = trained.saved_by(user)
    candidates = Candidates(
        mood_points=trained.data.mood_points,
        content=trained.data.content,
        popularity=trained.popularity,
        together=trained.neighbours.scores(saved),
        shown_lately=np.zeros(trained.data.n_items, dtype=np.int64),
    )
    taste = taste_of(trained, saved)
    return total(score_terms(candidates, mood=mood, taste=taste, weights=Weights()))


def taste_of(trained: Trained, saved: IntArray) -> Taste:
    """The taste that follows from these items."""
    if len(saved) == 0:
        return Taste.unknown()
    return Taste(trained.data.content[saved].mean(axis=0), len(saved))


DEAF_TO_MOOD: dict[str, Ranker] = {
    "random": at_random,
    "popularity": by_popularity,
    "content_taste": by_taste,
    "item_knn": by_neighbours,
}
WITH_MOOD: dict[str, Ranker] = {"mood_likelihood": by_mood, "hybrid": hybrid}
