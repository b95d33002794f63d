"""Combine all evidence into one log-probability, fitted on choices that the models didn't see.

The probability that a person's next track is i is modelled as a softmax of weighted evidence. The
weights maximise the likelihood of tracks held out of the *training* part. As the result is a
log-probability, the mood's log-likelihood is added with weight one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.engine.evaluation.data import BoolArray, IntArray
from recommender.engine.evaluation.evidence import COLUMNS, Trained, evidence
from recommender.engine.tracks.content import FloatArray

PEOPLE = 1500
"""At most so many people are used to fit the few weights."""
# Negatives: all of the likeliest tracks, and a sample of the rest.
_LIKELIEST, _SAMPLED = 200, 300
_RIDGE = 1.0


def fit_weights(
    trained: Trained,
    relevant: Sequence[tuple[int, IntArray]],
    listed: BoolArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Weights (len(COLUMNS),) from held-out items per person, among those `listed` (n_items,)."""
    from scipy.optimize import minimize

    some = rng.permutation(len(relevant))[:PEOPLE]
    cases = [_case(trained, relevant[i], listed, rng) for i in some]
    columns = np.concatenate([case[0] for case in cases])
    offsets = np.concatenate([case[1] for case in cases])
    targets = np.concatenate([case[2] for case in cases])
    starts = np.cumsum([0, *(len(case[1]) for case in cases)])[:-1]
    scale = np.maximum(columns.std(axis=0), 1e-9)
    solution = minimize(
        _loss,
        np.zeros(len(COLUMNS)),
        args=(columns / scale, offsets, targets, starts),
        jac=True,
        method="L-BFGS-B",
    ).x
    weights: FloatArray = solution / scale
    return weights


def _case(
    trained: Trained, relevant: tuple[int, IntArray], listed: BoolArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evidence (k, columns) of positives and negatives, log sampling weights (k,), targets (k,)."""
    user, items = relevant
    columns = evidence(trained, user)
    possible = listed.copy()
    possible[trained.saved_by(user)] = False
    possible[items] = False
    others = np.flatnonzero(possible)
    n_likeliest = min(_LIKELIEST, len(others))
    order = np.argpartition(-columns[others, 0], n_likeliest - 1)
    rest = others[order[n_likeliest:]]
    sampled = rng.permutation(rest)[:_SAMPLED]
    rows = np.concatenate([items, others[order[:n_likeliest]], sampled])
    offsets = np.zeros(len(rows))
    if len(sampled):
        offsets[-len(sampled) :] = np.log(len(rest) / len(sampled))
    targets = np.zeros(len(rows))
    targets[: len(items)] = 1.0 / len(items)
    return columns[rows], offsets, targets


def _loss(
    at: FloatArray, columns: FloatArray, offsets: FloatArray, targets: FloatArray, starts: IntArray
) -> tuple[float, FloatArray]:
    """Negative log-likelihood, each person weighted equally, with a ridge penalty; and gradient."""
    utility = columns @ at + offsets
    sizes = np.diff([*starts, len(utility)])
    utility -= np.repeat(np.maximum.reduceat(utility, starts), sizes)
    mass = np.exp(utility)
    sums = np.add.reduceat(mass, starts)
    shares = mass / np.repeat(sums, sizes)
    loss = np.sum(np.log(sums)) - np.sum(targets * utility)
    gradient = columns.T @ (shares - targets) + _RIDGE * at
    return float(loss + 0.5 * _RIDGE * at @ at), gradient
