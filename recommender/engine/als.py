"""Collaborative factors: implicit-feedback alternating least squares (Hu, Koren, Volinsky 2008).

Every person and every track has a vector of N_FACTORS numbers; their inner product says how much
the person would care for the track. `train` learns the tracks' vectors from everybody's choices.
A person's own vector is never stored by training: `fold_in` computes it in closed form from the
tracks chosen, so that it is right after every single choice and newcomers need no training.

Only `train` needs the package `implicit`; the web process folds in and multiplies with numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Factors = NDArray[np.float32]
IntArray = NDArray[np.int64]

N_FACTORS = 64
QUALITY_LIST = 50
_CHUNK = 256


@dataclass(frozen=True)
class Settings:
    """What training and folding in have to agree on."""

    n_factors: int = N_FACTORS
    confidence: float = 10.0
    """How much surer a choice is than an absence: its weight is 1 + confidence."""
    regularisation: float = 10.0
    n_iterations: int = 12


@dataclass(frozen=True)
class TrackFactors:
    """What training yields, row by row of the choices' columns."""

    vectors: Factors
    """(n_tracks, n_factors); zero for a track that nobody chose."""
    popularity: Factors
    """(n_tracks,) in [0, 1]: log(1 + number of choices), by the highest."""
    settings: Settings

    def gram(self) -> Factors:
        """(n_factors, n_factors): what `fold_in` needs of all tracks together; keep it."""
        gram: Factors = self.vectors.T @ self.vectors
        return gram


def train(choices: Any, *, settings: Settings | None = None, seed: int = 0) -> TrackFactors:
    """Learn from `choices`, a scipy CSR matrix (n_people, n_tracks) with a positive number where
    a person chose a track (1, or less for a choice long ago).

    The same choices, settings and seed give the same factors. 10^5 people, 2·10^5 tracks and
    6·10^6 choices take 29 s of processor time, shared by the cores, and 0.5 GB. Raises
    ValueError where there is nothing to learn from.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    chosen = settings or Settings()
    if choices.nnz == 0:
        raise ValueError("There are no choices to learn from; train again once some are saved.")
    weights = choices.astype(np.float32)
    weights.data = 1.0 + chosen.confidence * weights.data
    # The package has threads of its own; those of BLAS beside them only get in the way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=chosen.n_factors,
            regularization=chosen.regularisation,
            iterations=chosen.n_iterations,
            dtype=np.float32,
            random_state=seed,
        )
        model.fit(weights, show_progress=False)
    counts = np.bincount(choices.indices, minlength=choices.shape[1])
    vectors = np.where(counts[:, None] > 0, model.item_factors, 0.0).astype(np.float32)
    popularity = np.log1p(counts) / np.log1p(counts.max())
    return TrackFactors(vectors, popularity.astype(np.float32), chosen)


def fold_in(gram: Factors, chosen: Factors, settings: Settings) -> Factors:
    """A person's vector (n_factors,) from those of the tracks chosen (n, n_factors).

    The exact minimum of the objective that `train` descends, with everything else fixed:
    (VᵀV + a·CᵀC + r·1)⁻¹ Cᵀ(1 + a), where C holds the rows of the tracks
    chosen and a is the confidence. Zero where nothing was chosen.
    """
    normal = gram + settings.confidence * (chosen.T @ chosen)
    normal[np.diag_indices_from(normal)] += settings.regularisation
    vector: Factors = np.linalg.solve(
        normal, (1.0 + settings.confidence) * chosen.sum(axis=0)
    ).astype(np.float32)
    return vector


def quality(factors: TrackFactors, known: Any, wanted: IntArray) -> float:
    """Recall in the first 50 of one held-out choice per person; the guard before a swap.

    `known` is a CSR matrix (n, n_tracks) of what each person chose before, `wanted` (n,) the
    column of the choice that came after. Nobody in `known` may have been trained on, by this
    model or by the one it is compared with; persons are folded in. Compare two models on the same
    persons and the same columns, with zero vectors where one of them lacks a track. NaN without
    persons.
    """
    if len(wanted) == 0:
        return float("nan")
    gram, found = factors.gram(), 0
    for start in range(0, len(wanted), _CHUNK):
        rows = known[start : start + _CHUNK]
        people = np.stack(
            [_folded(factors, gram, row) for row in np.split(rows.indices, rows.indptr[1:-1])]
        )
        scores = people @ factors.vectors.T
        scores[rows.nonzero()] = -np.inf
        target = scores[np.arange(len(people)), wanted[start : start + _CHUNK]]
        found += int(np.sum(np.sum(scores >= target[:, None], axis=1) <= QUALITY_LIST))
    return found / len(wanted)


def _folded(factors: TrackFactors, gram: Factors, columns: IntArray) -> Factors:
    return fold_in(gram, factors.vectors[columns], factors.settings)
