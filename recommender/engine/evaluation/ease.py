"""Closed-form linear item-item models: EASE, and collective EASE with side information.

EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data") predicts each of a person's
items from the others by ridge regression with a zero diagonal: with P = (XᵀX + λ)⁻¹ the scores are
X - XP / diag(P). Collective EASE (Jeunen et al. 2020, "Closed-form models for collaborative
filtering with side-information") adds rows that say which tracks share an artist, an album, a genre
or audio features, which helps tracks that few or no people have.

If there are fewer rows than tracks, the smaller matrix of rows is inverted for the same result:
XP = (XXᵀ + λ)⁻¹X.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """Hyperparameters, tuned on held-out parts of the training interactions."""

    regularisation: float
    long_lists: float = 0.0
    """Exponent that down-weights people with many tracks."""
    well_known: float = 0.0
    """Exponent that down-weights popular tracks."""


PLAIN = Settings(regularisation=200.0)
COLLECTIVE = Settings(regularisation=400.0, long_lists=0.3, well_known=0.25)


def linear_scores(choices: Any, settings: Settings, sides: Any = None) -> Floats:
    """Scores (n_people, n_items) for every person of the CSR matrix `choices`.

    `sides` is a CSR matrix (n_sides, n_items) of side information. Needs the memory of the result
    and twice the square of the smaller of rows and items.
    """
    from scipy import sparse

    lengths = np.maximum(np.asarray(choices.sum(axis=1)).ravel(), 1.0)
    counts = np.maximum(np.asarray(choices.sum(axis=0)).ravel(), 1.0)
    by_person = sparse.diags((lengths / lengths.mean()) ** -settings.long_lists)
    by_item = sparse.diags((counts / counts.mean()) ** -settings.well_known)
    people = (by_person @ choices @ by_item).tocsr().astype(np.float32)
    rows = people if sides is None else sparse.vstack([people, sides @ by_item], format="csr")
    rows = rows.astype(np.float32)
    over_rows = rows.shape[0] < rows.shape[1]
    projected, diagonal = (_over_rows if over_rows else _over_items)(
        rows, people.shape[0], settings.regularisation
    )
    scores = projected
    scores /= -diagonal
    filled = people.tocoo()
    scores[filled.row, filled.col] += filled.data
    return scores


def _over_rows(rows: Any, n_people: int, regularisation: float) -> tuple[Floats, Floats]:
    """XP of the people (n_people, n_items) and diag(P) (n_items,), inverted over rows."""
    inverse = _inverse(_dense(rows @ rows.T), regularisation)
    items = rows.T.tocsr()
    projected = items @ inverse
    filled = items.tocoo()
    explained = np.bincount(
        filled.row,
        weights=filled.data * projected[filled.row, filled.col],
        minlength=items.shape[0],
    )
    diagonal = ((1.0 - explained) / regularisation).astype(np.float32)
    return np.ascontiguousarray(projected[:, :n_people].T), diagonal


def _over_items(rows: Any, n_people: int, regularisation: float) -> tuple[Floats, Floats]:
    """The same, inverted over items."""
    inverse = _inverse(_dense(rows.T @ rows), regularisation)
    return rows[:n_people] @ inverse, np.diagonal(inverse).copy()


def _dense(matrix: Any) -> Floats:
    dense: Floats = matrix.toarray(order="F")
    return dense


def _inverse(gram: Floats, regularisation: float) -> Floats:
    """(gram + regularisation)⁻¹, in place where LAPACK allows.

    Raises ValueError if the matrix is singular.
    """
    from scipy.linalg import lapack
    from threadpoolctl import threadpool_limits

    gram[np.diag_indices_from(gram)] += regularisation
    with threadpool_limits(len(os.sched_getaffinity(0)), "blas"):
        factor, failed = lapack.spotrf(gram, lower=True, overwrite_a=True, clean=True)
        half, failed_too = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed or failed_too:
        raise ValueError("The matrix of choices is singular; increase the regularisation.")
    half += np.tril(half, -1).T
    inverse: Floats = half
    return inverse
