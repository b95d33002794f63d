"""Simulated people who look at a list from the top and choose by utility."""

import numpy as np

from recommender.engine.rerank import softmax


def choose_one(rng: np.random.Generator, utilities: np.ndarray, position_bias: float) -> int:
    """The place chosen under the model of engine.weight_learning."""
    ranks = 1.0 + np.arange(len(utilities))
    return int(rng.choice(len(utilities), p=softmax(utilities - position_bias * np.log(ranks))))
