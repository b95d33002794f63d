"""Fit a Gaussian process to ratings, and predict the photos of themes that were left out."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ml.scene.gaussian_process import Block, Blocks, Process, squared_distances, total_kernel
from ml.types import Float64Array, Int64Array

FOLDS = 5
NOISES = np.exp(np.linspace(-4, 2, 25))
"""Variances of a rating beside the process that are tried, in those of the process."""


def fit(features: Blocks, ratings: Float64Array) -> Process:
    """Return the process whose variances make the (n, 2) ratings most likely."""
    weights = weights_of([*features])
    blocks = {name: _block(values, weights[name]) for name, values in features.items()}
    values, axes = np.linalg.eigh(total_kernel(blocks, features))
    mean = ratings.mean(axis=0)
    turned = axes.T @ (ratings - mean)
    evidence = [_evidence(np.maximum(values, 0) + noise, turned) for noise in NOISES]
    noise = NOISES[int(np.argmax(evidence))]
    scaled = np.maximum(values, 0) + noise
    inverse = (axes / scaled) @ axes.T
    variance = (turned**2 / scaled[:, None]).mean(axis=0)
    told = inverse @ (ratings - mean)
    return Process(blocks, mean, variance, np.asarray(noise), told, inverse)


def weights_of(names: Sequence[str]) -> dict[str, float]:
    """Return the blocks' shares in the kernel: each backbone's blocks together have the same."""
    tiny = {name: name.startswith("tiny") for name in names}
    members = Counter(tiny.values())
    return {name: 1 / (len(members) * members[tiny[name]]) for name in names}


def _block(values: Float64Array, weight: float) -> Block:
    mean, sd = values.mean(axis=0), values.std(axis=0) + 1e-6
    known = (values - mean) / sd
    usual = float(np.median(squared_distances(known, known)))
    return Block(mean, sd, known, usual, weight)


def _evidence(scaled: Float64Array, turned: Float64Array) -> float:
    """Return the logarithm of the marginal likelihood with the best variance of each rating."""
    variance = (turned**2 / scaled[:, None]).mean(axis=0)
    return float(-len(scaled) * np.log(variance).sum() - turned.shape[1] * np.log(scaled).sum()) / 2


def cross_validated(
    features: Blocks, ratings: Float64Array, folds: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Return means and variances (n, 2) of each photo from the photos of the other folds."""
    means, variances = np.zeros_like(ratings), np.zeros_like(ratings)
    for fold in np.unique(folds):
        asked = folds == fold
        process = fit({n: block[~asked] for n, block in features.items()}, ratings[~asked])
        new = {name: block[asked] for name, block in features.items()}
        means[asked], variances[asked] = process.predict(new)
    return means, variances


def stretched(
    ratings: Float64Array, means: Float64Array, variances: Float64Array, folds: Int64Array
) -> Float64Array:
    """Return the variances (n, 2) of each fold, stretched by what the other folds miss.

    Photos of a new theme are further off than the process expects from those that it knows.
    """
    each = {fold: folds != fold for fold in np.unique(folds)}
    stretch = {
        fold: stretch_of(ratings[others], means[others], variances[others])
        for fold, others in each.items()
    }
    wider: Float64Array = variances * np.array([stretch[fold] for fold in folds])
    return wider


def stretch_of(ratings: Float64Array, means: Float64Array, variances: Float64Array) -> Float64Array:
    """Return by how much (2,) the variances are too small."""
    return np.asarray(((ratings - means) ** 2 / variances).mean(axis=0))


def folds_of(themes: Sequence[str], seed: int = 0) -> Int64Array:
    """Return the fold of each photo: a theme lies in one fold, the folds are about equal."""
    names, counts = np.unique(themes, return_counts=True)
    order = np.lexsort((np.random.default_rng(seed).random(len(names)), -counts))
    sizes, fold = np.zeros(FOLDS), {}
    for place in order:
        fold[names[place]] = int(sizes.argmin())
        sizes[fold[names[place]]] += counts[place]
    return np.array([fold[theme] for theme in themes])
