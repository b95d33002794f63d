"""The compared rankers: well-known baselines and the hybrid of all evidence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ml.mood import Gaussian
from recommender.engine.evaluation.data import Dataset
from recommender.engine.evaluation.evidence import Trained, evidence
from recommender.engine.rerank import rerank
from recommender.engine.scoring import mood_terms
from recommender.engine.tracks.content import FloatArray

Ranker = Callable[[Trained, int], FloatArray]
"""Scores (n_items,) of every item for a user."""

# The reranker picks so many places from so many of the best.
_AMONG, _PLACES = 200, 10


def at_random(trained: Trained, user: int) -> FloatArray:
    """Scores (n_items,) drawn from [0, 1), the same for a user each time."""
    return np.random.default_rng(user).random(trained.data.n_items)


def by_popularity(trained: Trained, _user: int) -> FloatArray:
    """The popularity (n_items,) in [0, 1], for everybody alike."""
    return trained.popularity


def by_taste(trained: Trained, user: int) -> FloatArray:
    """Log-likelihood ratios (n_items,) of the sound under the user's taste (`engine.taste`)."""
    return trained.taste(user)


def by_neighbours(trained: Trained, user: int) -> FloatArray:
    """Summed similarities (n_items,) to the user's items (`evaluation.item_knn`)."""
    scores: FloatArray = trained.neighbours[user].astype(np.float64)
    return scores


def by_als(trained: Trained, user: int) -> FloatArray:
    """Inner products (n_items,) of the user's and the items' factors (`engine.als`)."""
    return trained.affinity(user)


def by_ease(trained: Trained, user: int) -> FloatArray:
    """Scores (n_items,) of EASE (`evaluation.ease`)."""
    scores: FloatArray = trained.ease[user].astype(np.float64)
    return scores


def by_title(trained: Trained, user: int) -> FloatArray:
    return trained.titled(user)


def hybrid(weights: FloatArray) -> Ranker:
    """The log-probability of `evaluation.blend` with these weights."""

    def scores(trained: Trained, user: int) -> FloatArray:
        log_probability: FloatArray = evidence(trained, user) @ weights
        return log_probability

    return scores


WITHOUT_MOOD: dict[str, Ranker] = {
    "random": at_random,
    "popularity": by_popularity,
    "content_taste": by_taste,
    "item_knn": by_neighbours,
    "als": by_als,
    "ease": by_ease,
}
BY_TITLE = WITHOUT_MOOD | {"title_words": by_title}


def with_mood(data: Dataset, log_probability: FloatArray, mood: Gaussian) -> dict[str, FloatArray]:
    """Scores of the mood-aware rankers, given the hybrid's log-probability."""
    fit = mood_terms(data.mood_points, mood)
    scores = log_probability + fit
    return {"mood_likelihood": fit, "hybrid": scores, "hybrid_varied": varied(data, scores)}


def varied(data: Dataset, scores: FloatArray) -> FloatArray:
    """The same scores with the first places reranked by `engine.rerank`, without exploration.

    Hidden items (-inf) stay hidden.
    """
    best = np.argsort(-scores, kind="stable")[:_AMONG]
    picks = rerank(
        scores[best],
        artists=[data.credited[row] for row in best],
        songs=[str(row) for row in best],
        n=_PLACES,
        noise=np.zeros((_PLACES, len(best))),
        genres=[data.genre_names[row] for row in best],
        years=data.years[best],
        n_sure=_PLACES,
    )
    lifted = scores.copy()
    lifted[[best[pick.row] for pick in picks]] = scores.max() + np.arange(len(picks), 0.0, -1.0)
    return lifted
