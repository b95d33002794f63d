"""Collaborative factors: implicit-feedback alternating least squares (Hu, Koren, Volinsky 2008).

Every person and every track has a vector of N_FACTORS numbers; their inner product predicts how
much the person likes the track. `train` learns the tracks' vectors from everybody's choices. A
person's vector isn't trained: `fold_in` computes it in closed form from the chosen tracks, so that
it's up to date after every choice and newcomers need no training.

Only `train` needs the package `implicit`; folding in needs only numpy.
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
    """Hyperparameters, shared by training and folding in."""

    n_factors: int = N_FACTORS
    confidence: float = 10.0
    """A choice weighs 1 + confidence, an absence 1."""
    regularisation: float = 10.0
    n_iterations: int = 12


@dataclass(frozen=True)
class TrackFactors:
    """The result of training; one row per column of the choices."""

    vectors: Factors
    """(n_tracks, n_factors); zero for a track that nobody chose."""
    popularity: Factors
    """(n_tracks,) in [0, 1]: log(1 + number of choices), divided by the largest."""
    settings: Settings

    def gram(self) -> Factors:
        """Return the Gram matrix (n_factors, n_factors), which `fold_in` needs."""
        gram: Factors = self.vectors.T @ self.vectors
        return gram


def train(choices: Any, *, settings: Settings | None = None, seed: int = 0) -> TrackFactors:
    """Train track factors.

    `choices` is a scipy CSR matrix (n_people, n_tracks), positive where a person chose a track: 1,
    or less for an old choice. The result is deterministic for a seed. 10^5 people, 2·10^5 tracks
    and 6·10^6 choices take 29 s of CPU time and 0.5 GB. Raises ValueError without any choices.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    chosen = settings or Settings()
    if choices.nnz == 0:
        raise ValueError("There are no choices to learn from; train again once some are saved.")
    weights = choices.astype(np.float32)
    weights.data = 1.0 + chosen.confidence * weights.data
    # The package starts its own threads; BLAS threads would compete with them.
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
    """Return a person's vector (n_factors,) from the vectors of their tracks (n, n_factors).

    The exact minimum of the objective of `train` with everything else fixed:
    (VᵀV + a·CᵀC + r·1)⁻¹ Cᵀ(1 + a), where C holds the rows of the chosen tracks, a is the
    confidence and r the regularisation. Zero without choices.
    """
    normal = gram + settings.confidence * (chosen.T @ chosen)
    normal[np.diag_indices_from(normal)] += settings.regularisation
    vector: Factors = np.linalg.solve(
        normal, (1.0 + settings.confidence) * chosen.sum(axis=0)
    ).astype(np.float32)
    return vector


def quality(factors: TrackFactors, known: Any, held_out: IntArray) -> float:
    """Return recall@50 of one held-out choice per person, to decide whether a model may serve.

    `known` is a CSR matrix (n, n_tracks) of each person's earlier choices; `held_out` (n,) is the
    column of their last one. People are folded in; neither of two compared models may have been
    trained on them. Compare models on the same people and columns, with zero vectors for tracks
    that a model lacks. NaN without people.
    """
    if len(held_out) == 0:
        return float("nan")
    gram, hits = factors.gram(), 0
    for start in range(0, len(held_out), _CHUNK):
        rows = known[start : start + _CHUNK]
        people = np.stack(
            [_folded(factors, gram, row) for row in np.split(rows.indices, rows.indptr[1:-1])]
        )
        scores = people @ factors.vectors.T
        scores[rows.nonzero()] = -np.inf
        target = scores[np.arange(len(people)), held_out[start : start + _CHUNK]]
        hits += int(np.sum(np.sum(scores >= target[:, None], axis=1) <= QUALITY_LIST))
    return hits / len(held_out)


def _folded(factors: TrackFactors, gram: Factors, columns: IntArray) -> Factors:
    return fold_in(gram, factors.vectors[columns], factors.settings)
