"""Classify tracks by low, medium or high intensity, learned from the catalogue.

Five features are standardised and projected on the first principal component of their
correlations, oriented so that energy increases along it. A mixture of three Gaussians is fitted to
that axis by expectation maximisation (Dempster et al. 1977), and a track belongs to its most likely
Gaussian. The cuts lie where two neighbours are equally likely, so each class is one interval of
the axis and a louder track never falls into a lower class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recommender.engine.tracks.content import FloatArray

FEATURES = ("tempo", "loudness", "energy", "acousticness", "instrumentalness")
LEVELS = ("low", "medium", "high")
# Fewer tracks don't represent a catalogue.
MIN_TRACKS = 50
# The mixture is fitted to a histogram: as good as single tracks, and fast for any number.
_BINS = 2000
_MAX_ITERATIONS = 1000
_TOLERANCE = 1e-7
# The axis has a standard deviation of 1; no class is narrower than this.
_MIN_SD = 0.1


class TooFewTracksError(ValueError):
    """There are too few different tracks to learn three classes from."""


@dataclass(frozen=True)
class IntensityFit:
    """The fitted model: `factor = sum(weights * (features - means))` with two cuts."""

    means: tuple[float, ...]
    """(5,): of the features, in their units; replaces missing values."""
    weights: tuple[float, ...]
    """(5,): per unit of each feature; the factor has mean 0 and standard deviation 1."""
    cuts: tuple[float, float]
    """On the factor: low below the first, high from the second."""
    loadings: tuple[float, ...]
    """(5,): correlation of each feature with the factor."""
    explained: float
    """Share of the five features' variance along the factor."""
    n_tracks: int

    def factor(self, raw: ArrayLike) -> FloatArray:
        """Raw features (n, 5) in the order of FEATURES -> the factor (n,)."""
        values = np.array(raw, dtype=np.float64, ndmin=2) - np.array(self.means)
        factor: FloatArray = np.nan_to_num(values, nan=0.0) @ np.array(self.weights)
        return factor

    def levels(self, raw: ArrayLike) -> list[str]:
        """Raw features (n, 5) -> n of LEVELS."""
        return [LEVELS[i] for i in np.searchsorted(self.cuts, self.factor(raw), side="right")]

    def to_json(self) -> dict[str, Any]:
        """The fit as JSON types, by the names of its fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IntensityFit:
        """Return the fit that `to_json` wrote; raise KeyError if a field is missing."""
        lists = {name: tuple(data[name]) for name in ("means", "weights", "loadings")}
        low, high = data["cuts"]
        return cls(
            **lists, cuts=(low, high), explained=data["explained"], n_tracks=data["n_tracks"]
        )


def fit_intensity(raw: ArrayLike) -> IntensityFit:
    """Fit to raw features (n, 5) in the order of FEATURES, NaN where missing.

    Raises TooFewTracksError if there are fewer than MIN_TRACKS tracks or all are alike.
    """
    values = np.array(raw, dtype=np.float64, ndmin=2)
    if len(values) < MIN_TRACKS:
        raise TooFewTracksError(f"{len(values)} tracks; {MIN_TRACKS} are needed")
    means, spread = _scale(values)
    scaled = np.nan_to_num((values - means) / np.where(spread > 0, spread, np.inf), nan=0.0)
    largest, axis = _first_component(scaled)
    factor = scaled @ axis
    if largest <= 0 or len(np.unique(np.round(factor, 6))) < MIN_TRACKS // 2:
        raise TooFewTracksError("the tracks are too much alike")
    sd = float(factor.std())
    weights = axis / np.where(spread > 0, spread, np.inf) / sd
    return IntensityFit(
        means=tuple(means.tolist()),
        weights=tuple(weights.tolist()),
        cuts=_cuts(factor / sd),
        loadings=tuple((axis * np.sqrt(largest)).tolist()),
        explained=largest / int(np.count_nonzero(spread)),
        n_tracks=len(values),
    )


def _scale(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means and standard deviations (5,) of known values; zero if there are none."""
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0.0).sum(axis=0) / counts
    variances = np.where(known, (values - means) ** 2, 0.0).sum(axis=0) / counts
    return means, np.sqrt(variances)


def _first_component(scaled: FloatArray) -> tuple[float, FloatArray]:
    """The largest eigenvalue of the correlations (5, 5) and its axis, along which energy rises."""
    values, axes = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    axis: FloatArray = axes[:, -1]
    return float(values[-1]), axis if axis[FEATURES.index("energy")] >= 0 else -axis


def _cuts(factor: FloatArray) -> tuple[float, float]:
    """The points on the factor (n,) where neighbouring Gaussians are equally likely."""
    counts, edges = np.histogram(factor, bins=_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    shares, means, sds = _mixture(middles[counts > 0], counts[counts > 0].astype(np.float64))
    order = np.argsort(means)
    shares, means, sds = shares[order], means[order], sds[order]
    low, high = (_crossing(shares[i : i + 2], means[i : i + 2], sds[i : i + 2]) for i in (0, 1))
    return low, high


def _mixture(factor: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shares, means and standard deviations (3,) of three Gaussians.

    `factor` (m,) is ascending and `weights` (m,) counts each value; EM starts from equal thirds.
    """
    rank = (np.cumsum(weights) - weights / 2) / weights.sum()
    responsibilities = np.stack(
        [np.floor(rank * len(LEVELS)) == i for i in range(len(LEVELS))], axis=1
    )
    shares, means, sds = _moments(factor, responsibilities * weights[:, None])
    previous = -np.inf
    for _ in range(_MAX_ITERATIONS):
        joint = _log_densities(factor, shares, means, sds)
        highest = joint.max(axis=1, keepdims=True)
        total = highest[:, 0] + np.log(np.exp(joint - highest).sum(axis=1))
        responsibilities = np.exp(joint - total[:, None])
        shares, means, sds = _moments(factor, responsibilities * weights[:, None])
        if (now := float(np.average(total, weights=weights))) - previous < _TOLERANCE:
            break
        previous = now
    return shares, means, sds


def _moments(
    factor: FloatArray, responsibilities: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shares, means and standard deviations (3,) of values (m,) with responsibilities (m, 3)."""
    counts = np.maximum(responsibilities.sum(axis=0), 1e-9)
    means = responsibilities.T @ factor / counts
    off = (factor[:, None] - means) ** 2
    sds = np.maximum(np.sqrt((responsibilities * off).sum(axis=0) / counts), _MIN_SD)
    return counts / counts.sum(), means, sds


def _log_densities(
    factor: FloatArray, shares: FloatArray, means: FloatArray, sds: FloatArray
) -> FloatArray:
    """log(share * density) up to a constant, (n, 3)."""
    off = (factor[:, None] - means) / sds
    densities: FloatArray = np.log(shares / sds) - 0.5 * off**2
    return densities


def _crossing(shares: FloatArray, means: FloatArray, sds: FloatArray) -> float:
    """The point between the two means from which the second Gaussian is more likely."""
    along = np.linspace(means[0], means[1], 1001)
    joint = _log_densities(along, shares, means, sds)
    return float(along[int(np.argmax(joint[:, 1] >= joint[:, 0]))])
