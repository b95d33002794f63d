"""SVG coordinates of the staff page's histograms of energy, one per intensity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.engine.tracks.intensity import FEATURES, LEVELS, IntensityFit
from recommender.selectors import EnergyOfLevel

WIDTH, HEIGHT = 200, 100
_TITLES = dict(zip(LEVELS, ("Low", "Medium", "High"), strict=True))


@dataclass(frozen=True)
class Column:
    """One bar of a histogram, and the bar for all tracks behind it."""

    x: float
    width: float
    y: float
    height: float
    all_y: float
    all_height: float


@dataclass(frozen=True)
class Plot:
    """The histogram of one class; all plots share one scale."""

    level: str
    title: str
    n_tracks: int
    share: float
    mean: float
    columns: list[Column]
    table: list[tuple[str, str]]
    """Ranges of energy and the share of the class in each, as an accessible alternative."""

    @property
    def mean_x(self) -> float:
        return round(self.mean * WIDTH, 1)


@dataclass(frozen=True)
class Feature:
    """A feature's correlation with the intensity axis."""

    name: str
    loading: float


def plots(classes: Sequence[EnergyOfLevel]) -> list[Plot]:
    """One histogram per class in the given order, normalised within the class."""
    n_all = sum(energies.n_tracks for energies in classes)
    total = [sum(counts) for counts in zip(*(energies.counts for energies in classes), strict=True)]
    shares = [_shares(energies.counts) for energies in classes]
    behind = _shares(total)
    highest = max(max(map(max, shares), default=0), max(behind, default=0)) or 1
    return [
        Plot(
            level=energies.level,
            title=f"{_TITLES[energies.level]} intensity",
            n_tracks=energies.n_tracks,
            share=energies.n_tracks / (n_all or 1),
            mean=energies.mean,
            columns=_columns(own, behind, highest),
            table=_table(own),
        )
        for energies, own in zip(classes, shares, strict=True)
    ]


def features(fit: IntensityFit) -> list[Feature]:
    """The features by absolute loading, highest first."""
    loadings = zip(FEATURES, fit.loadings, strict=True)
    return sorted((Feature(*pair) for pair in loadings), key=lambda feature: -abs(feature.loading))


def _shares(counts: Sequence[int]) -> list[float]:
    return [count / (sum(counts) or 1) for count in counts]


def _columns(own: Sequence[float], behind: Sequence[float], highest: float) -> list[Column]:
    width = WIDTH / len(own)
    return [
        Column(
            x=round(i * width + 0.5, 2),
            width=round(width - 1, 2),
            y=round(HEIGHT * (1 - share / highest), 2),
            height=round(HEIGHT * share / highest, 2),
            all_y=round(HEIGHT * (1 - of_all / highest), 2),
            all_height=round(HEIGHT * of_all / highest, 2),
        )
        for i, (share, of_all) in enumerate(zip(own, behind, strict=True))
    ]


def _table(own: Sequence[float]) -> list[tuple[str, str]]:
    """Five rows, few enough to be read out by a screen reader."""
    step = len(own) // 5
    return [
        (f"{i / 5:.1f} to {(i + 1) / 5:.1f}", f"{sum(own[i * step : (i + 1) * step]):.0%}")
        for i in range(5)
    ]
