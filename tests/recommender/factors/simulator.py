"""A world where the truth is known: people look at a list from the top and choose by utility."""

from dataclasses import dataclass

import numpy as np

from recommender.engine.rerank import rerank, softmax

N_TRACKS = 12
TEMPERATURE = 0.5


@dataclass(frozen=True)
class Shown:
    """One list: rows in order, their chances, and the place chosen (None for none)."""

    rows: list[int]
    propensities: list[float]
    chosen: int | None


def show(
    rng: np.random.Generator, scores: np.ndarray, likes: np.ndarray, n: int, position_bias: float
) -> Shown:
    """Draw a list by `scores`; each place is looked at, and liked, by its own chance."""
    picks = rerank(
        scores,
        artists=[frozenset({str(i)}) for i in range(len(scores))],
        songs=[str(i) for i in range(len(scores))],
        n=n,
        noise=rng.gumbel(size=(n, len(scores))),
        diversity=0.0,
        temperature=TEMPERATURE,
    )
    rows = [pick.row for pick in picks]
    looked = (1.0 + np.arange(n)) ** -position_bias
    liked = np.flatnonzero(rng.random(n) < looked * likes[rows])
    return Shown(rows, [p.propensity for p in picks], int(liked[0]) if len(liked) else None)


def choose_one(rng: np.random.Generator, utilities: np.ndarray, position_bias: float) -> int:
    """The place chosen by the model of engine.learning."""
    ranks = 1.0 + np.arange(len(utilities))
    return int(rng.choice(len(utilities), p=softmax(utilities - position_bias * np.log(ranks))))
