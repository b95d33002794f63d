"""Intensity classes against independent computations of axis, mixture and cuts."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from recommender.engine.tracks import intensity
from recommender.engine.tracks.intensity import (
    FEATURES,
    LEVELS,
    IntensityFit,
    TooFewTracksError,
    fit_intensity,
)

ENERGY = FEATURES.index("energy")
FIT = IntensityFit(
    means=(100.0, -10.0, 0.5, 0.4, 0.1),
    weights=(0.01, 0.1, 2.0, -1.0, 0.5),
    cuts=(-0.5, 1.0),
    loadings=(0.0,) * 5,
    explained=1.0,
    n_tracks=50,
)


def catalogue(n: int = 100, seed: int = 0) -> Any:
    """`n` tracks of each of three kinds, in which all features follow one axis, and noise."""
    rng = np.random.default_rng(seed)
    along = np.repeat([-1.2, 0.0, 1.5], n) + rng.normal(0, 0.2, 3 * n)
    slopes = np.array([20.0, 5.0, 0.2, -0.2, -0.1])
    noise = rng.normal(0, [10, 1.5, 0.04, 0.1, 0.15], (3 * n, 5))
    return np.array([115.0, -10.0, 0.55, 0.4, 0.2]) + along[:, None] * slopes + noise


# --- a fit at work --------------------------------------------------------------------------------


def test_factor_is_the_weighted_sum_of_what_is_known() -> None:
    """0.01 * 20 + 0.1 * 5 + 2 * 0.1 - 1 * (-0.2) + 0.5 * 0.4 = 1.3; without energy it is 1.1."""
    track = [120.0, -5.0, 0.6, 0.2, 0.5]
    assert FIT.factor(track) == pytest.approx([1.3])
    track[ENERGY] = float("nan")
    assert FIT.factor(track) == pytest.approx([1.1])


@pytest.mark.parametrize(
    ("energy", "level"),
    [(0.2499, "low"), (0.25, "medium"), (0.9999, "medium"), (1.0, "high")],
)
def test_class_begins_at_its_cut(energy: float, level: str) -> None:
    """Of an average track, twice the energy above 0.5 is the factor: cut at -0.5 and at 1."""
    assert FIT.levels([100.0, -10.0, energy, 0.4, 0.1]) == [level]


# --- the axis -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
def test_factor_is_the_first_principal_component_with_energy_upwards(mirrored: bool) -> None:
    """Power iteration on numpy's correlations finds the same axis."""
    raw = catalogue()
    raw[:, 0] *= -1 if mirrored else 1
    fit = fit_intensity(raw)
    correlations, axis = np.corrcoef(raw.T), np.eye(5)[ENERGY]
    for _ in range(200):
        axis = correlations @ axis
        axis /= np.linalg.norm(axis)
    largest = axis @ correlations @ axis
    factor = (raw - raw.mean(axis=0)) / raw.std(axis=0) @ axis
    assert fit.factor(raw) == pytest.approx(factor / factor.std())
    assert fit.explained == pytest.approx(largest / 5)
    assert fit.means == pytest.approx(raw.mean(axis=0))


def test_loadings_are_the_correlations_of_the_features_with_the_factor() -> None:
    raw = catalogue()
    fit = fit_intensity(raw)
    factor = fit.factor(raw)
    expected = [np.corrcoef(column, factor)[0, 1] for column in raw.T]
    assert fit.loadings == pytest.approx(expected)
    assert fit.loadings[ENERGY] > 0.9
    assert (factor.mean(), factor.std()) == pytest.approx((0.0, 1.0))


def test_what_is_missing_is_left_out_of_means_and_deviations() -> None:
    raw = catalogue(20)
    raw[::3, 0] = np.nan
    raw[::4, 3] = np.nan
    means, spread = intensity._scale(raw)
    assert means == pytest.approx(np.nanmean(raw, axis=0))
    assert spread == pytest.approx(np.nanstd(raw, axis=0))


def test_feature_that_never_varies_has_no_weight_and_no_share_of_the_variance() -> None:
    raw = catalogue()
    raw[:, 0], raw[:, 4] = 120.0, np.nan
    with np.errstate(divide="raise", invalid="raise"):
        fit = fit_intensity(raw)
    kept = np.corrcoef(raw[:, 1:4].T)
    assert (fit.weights[0], fit.weights[4]) == (0.0, 0.0)
    assert fit.explained == pytest.approx(np.linalg.eigvalsh(kept)[-1] / 3)
    assert np.isfinite(fit.weights).all()


def test_fifty_tracks_are_enough_and_forty_nine_are_not() -> None:
    raw = catalogue(20)[5:55]
    assert fit_intensity(raw).n_tracks == 50
    with pytest.raises(TooFewTracksError, match="49 tracks; 50"):
        fit_intensity(raw[:49])


def test_twenty_five_different_tracks_are_enough_and_twenty_four_are_not() -> None:
    different = catalogue(20)[::2][:25]
    fit_intensity(np.repeat(different, 2, axis=0))
    with pytest.raises(TooFewTracksError, match="alike"):
        fit_intensity(np.repeat(different[:24], 3, axis=0))


def test_tracks_that_are_all_alike_teach_nothing() -> None:
    with pytest.raises(TooFewTracksError, match="alike"):
        fit_intensity(np.repeat([[100.0, -10.0, 0.5, 0.4, 0.1]], 60, axis=0))


# --- mixture and cuts -----------------------------------------------------------------------------

SHARES, MEANS, SDS = (
    np.array([0.5, 0.3, 0.2]),
    np.array([-2.0, 1.0, 4.0]),
    np.array([0.8, 0.5, 0.6]),
)


def test_moments_by_hand() -> None:
    """0 and 2 belong to the first, 10 three quarters to the second and one to the third."""
    responsibilities = np.array(
        [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.75, 0.25], [0.0, 0.25, 0.75]]
    )
    shares, means, sds = intensity._moments(np.array([0.0, 2.0, 10.0, 14.0]), responsibilities)
    assert shares == pytest.approx([0.5, 0.25, 0.25])
    assert means == pytest.approx([1.0, 11.0, 13.0])
    assert sds == pytest.approx([1.0, np.sqrt(3.0), np.sqrt(3.0)])


def test_no_gaussian_gets_narrower_than_a_tenth_or_divides_by_its_emptiness() -> None:
    responsibilities = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    shares, _, sds = intensity._moments(np.array([1.0, 3.0]), responsibilities)
    assert sds == pytest.approx([0.1, 0.1, 0.1])
    assert shares == pytest.approx([0.5, 0.5, 0.0], abs=1e-8)


def test_log_densities_are_those_of_scipy_but_for_a_constant() -> None:
    at = np.array([-3.0, 0.0, 0.7, 5.0])
    expected = norm(MEANS, SDS).logpdf(at[:, None]) + np.log(SHARES)
    result = intensity._log_densities(at, SHARES, MEANS, SDS)
    assert result - result[0, 0] == pytest.approx(expected - expected[0, 0])


def test_mixture_that_values_were_made_of_is_found_again() -> None:
    """On a fine grid with the mixture's own density as weights there is no chance in it."""
    grid = np.linspace(-6, 8, 1401)
    weights = (norm(MEANS, SDS).pdf(grid[:, None]) * SHARES).sum(axis=1) * 1000
    shares, means, sds = intensity._mixture(grid, weights)
    assert shares == pytest.approx(SHARES, abs=0.003)
    assert means == pytest.approx(MEANS, abs=0.01)
    assert sds == pytest.approx(SDS, abs=0.01)


@pytest.mark.parametrize("n", [20, 300])
def test_values_that_lie_in_three_heaps_become_the_heaps(n: int) -> None:
    heaps = np.repeat([-5.0, 0.0, 5.0], [n, 2 * n, n]) + np.tile([-0.2, 0.2], 2 * n)
    shares, means, sds = intensity._mixture(np.sort(heaps), np.ones(4 * n))
    assert shares == pytest.approx([0.25, 0.5, 0.25])
    assert means == pytest.approx([-5.0, 0.0, 5.0], abs=1e-6)
    assert sds == pytest.approx([0.2] * 3, abs=1e-6)


def test_equal_gaussians_are_cut_in_the_middle_and_a_likelier_one_pushes_the_cut_away() -> None:
    """Equally wide by s, the cut lies log(share / share) * s² / distance beyond the middle."""
    pair = np.array([0.0, 2.0]), np.array([0.5, 0.5])
    assert intensity._crossing(np.array([0.5, 0.5]), *pair) == pytest.approx(1.0, abs=0.002)
    beyond = np.log(3.0) * 0.25 / 2.0
    result = intensity._crossing(np.array([0.75, 0.25]), *pair)
    assert result == pytest.approx(1.0 + beyond, abs=0.003)


def test_cuts_lie_where_neighbours_are_equally_likely() -> None:
    """The crossings by root finding, on draws from a known mixture."""
    rng = np.random.default_rng(0)
    kinds = rng.choice(3, 60_000, p=SHARES)

    def gap(at: float, i: int) -> float:
        one, other = (np.log(SHARES[k]) + norm(MEANS[k], SDS[k]).logpdf(at) for k in (i, i + 1))
        return float(one - other)

    crossings = [brentq(gap, MEANS[i], MEANS[i + 1], args=(i,)) for i in (0, 1)]
    assert intensity._cuts(rng.normal(MEANS[kinds], SDS[kinds])) == pytest.approx(
        crossings, abs=0.06
    )


def test_catalogue_of_three_kinds_falls_into_them() -> None:
    raw = catalogue()
    levels = np.array(fit_intensity(raw).levels(raw)).reshape(3, 100)
    for kind, level in zip(levels, LEVELS, strict=True):
        assert np.mean(kind == level) > 0.9
