"""The staff page's three plots of energy, one for each intensity, as coordinates for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.engine.tracks.intensity import FEATURES, LEVELS, IntensityFit
from recommender.selectors import EnergyOfLevel

WIDTH, HEIGHT = 200, 100
_WORDS = dict(zip(LEVELS, ("Low", "Medium", "High"), strict=True))


@dataclass(frozen=True)
class Column:
    """One bar of a histogram, with the same bar for all tracks behind it."""

    x: float
    width: float
    y: float
    height: float
    all_y: float
    all_height: float


@dataclass(frozen=True)
class Plot:
    """How energy is spread in one class; every plot has the same scale."""

    level: str
    title: str
    n_tracks: int
    share: float
    mean: float
    columns: list[Column]
    table: list[tuple[str, str]]
    """Ranges of energy with the share of the class in it, for those who do not see the plot."""

    @property
    def mean_x(self) -> float:
        return round(self.mean * WIDTH, 1)


@dataclass(frozen=True)
class Feature:
    """How much a feature says of intensity: its correlation with the axis."""

    name: str
    loading: float


def plots(classes: Sequence[EnergyOfLevel]) -> list[Plot]:
    """A histogram per class in the order given, each in shares of its own tracks."""
    n_all = sum(one.n_tracks for one in classes)
    everybody = [sum(counts) for counts in zip(*(one.counts for one in classes), strict=True)]
    shares = [_shares(one.counts) for one in classes]
    behind = _shares(everybody)
    highest = max(max(map(max, shares), default=0), max(behind, default=0)) or 1
    return [
        Plot(
            level=one.level,
            title=f"{_WORDS[one.level]} intensity",
            n_tracks=one.n_tracks,
            share=one.n_tracks / (n_all or 1),
            mean=one.mean,
            columns=_columns(own, behind, highest),
            table=_table(own),
        )
        for one, own in zip(classes, shares, strict=True)
    ]


def features(fit: IntensityFit) -> list[Feature]:
    """The features, the most telling first."""
    loadings = zip(FEATURES, fit.loadings, strict=True)
    return sorted((Feature(*pair) for pair in loadings), key=lambda one: -abs(one.loading))


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
    """In fifths, which is as fine as anybody wants to have it read out."""
    step = len(own) // 5
    return [
        (f"{i / 5:.1f} to {(i + 1) / 5:.1f}", f"{sum(own[i * step : (i + 1) * step]):.0%}")
        for i in range(5)
    ]
