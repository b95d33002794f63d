"""Time the training of collaborative factors on random choices."""

import resource
import time
from typing import Any

import numpy as np

from recommender.engine import als

# Popularity skew: a few tracks get most of the choices, as in public playlists.
_SKEW = 2.5


def time_training(n_people: int, n_tracks: int, n_choices: int) -> dict[str, Any]:
    """Train by alternating least squares; nothing is stored."""
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    tracks = (n_tracks * rng.random(n_choices) ** _SKEW).astype(np.int64)
    people = rng.integers(0, n_people, n_choices)
    ones = np.ones(n_choices, np.float32)
    choices = csr_matrix((ones, (people, tracks)), (n_people, n_tracks))
    choices.data[:] = 1.0  # the same choice twice is one
    began = time.perf_counter()
    als.train(choices)
    return {
        "choices": choices.nnz,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }
