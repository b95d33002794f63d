"""Figures of moods against ratings of photos and against the sides of stories."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ml.evaluation.metrics import interval, share_of
from ml.evaluation.tables import BadData, numbers
from ml.mood import MUSIC_MEAN, PHOTOS, Gaussian
from ml.types import Float64Array, Int64Array

Report = dict[str, Any]

AXES = ("valence", "energy")
NINE_TENTHS = 2 * np.log(10)
"""Squared Mahalanobis distance that contains 90 % of a two-dimensional Gaussian."""

RESAMPLES = 1_000

# Themes of OASIS by what people post; the rest is only in the figures of all.
KINDS: Mapping[str, tuple[str, ...]] = {
    "animals": ("bird", "cat", "dog", "goat", "lamb", "lion", "monkey", "penguins", "tiger"),
    "babies and parents": ("baby", "children", "father", "mother"),
    "celebrations": ("birthday", "celebration", "fireworks", "parade", "party", "wedding"),
    "danger and death": (
        *("ambulance", "animal carcass", "cemetery", "dead bodies", "destruction", "dog attack"),
        *("explosion", "graveyard", "injury", "shark", "snake", "soldiers", "war"),
    ),
    "food and drink": ("alcohol", "coffee", "dessert", "eating", "food", "picnic"),
    "landscapes": ("beach", "bridge", "path", "rocks", "snow", "sunset", "woods"),
    "objects": ("bark", "cups", "keyboard", "office supplies", "roofing", "storage", "timber"),
    "posed feelings": (
        *("angry face", "bored pose", "excited face", "frustrated pose", "happy face"),
        *("miserable face", "miserable pose", "neutral face", "neutral pose", "scared face"),
        *("scary face", "smiling face", "surprise", "angry pose"),
    ),
    "sport and thrill": (
        *("archery", "bungee jumping", "cliff diver", "hang gliding", "parasailing", "rafting"),
        *("rock climbing", "rollercoaster", "skydiving", "skier"),
    ),
    "weather": ("cold", "lightning", "thunderstorm", "tornado", "volcano"),
}


def ratings_of(table: pa.Table) -> Float64Array:
    """Return the standardised ratings (n, 2) of valence and arousal, whatever their scale.

    Those of an axis on which all are equal are 0.
    """
    ratings = numbers(table, "valence_mean", "arousal_mean")
    off = ratings - ratings.mean(axis=0)
    return np.asarray(off / np.maximum(ratings.std(axis=0), 1e-12))


def sides_of(table: pa.Table) -> Int64Array:
    """Return the sides (n, 2) of valence and energy; raise BadData unless each is -1, 0 or 1."""
    sides = numbers(table, *(f"{axis}_side" for axis in AXES))
    if not np.isin(sides, (-1, 0, 1)).all():
        raise BadData("valence_side and energy_side are -1, 0 or 1 in each row.")
    return sides.astype(np.int64)


def correlations(means: Float64Array, ratings: Float64Array) -> list[float]:
    """Return Pearson's r of valence and of energy from (n, 2) means and ratings.

    It is 0 where all means or all ratings are equal.
    """
    off, apart = means - means.mean(axis=0), ratings - ratings.mean(axis=0)
    lengths = np.sqrt((off**2).sum(axis=0) * (apart**2).sum(axis=0))
    return [round(float(r), 4) for r in (off * apart).sum(axis=0) / np.maximum(lengths, 1e-12)]


def rating_figures(
    moods: Sequence[Gaussian], ratings: Float64Array, themes: Sequence[str] | None = None
) -> Report:
    """Return correlations with standardised ratings (n, 2), and how many ellipses hold them.

    `within_90` counts ratings inside the ellipse that should hold nine of ten, once the usual photo
    is put where music is. Intervals hold the figure in 95 of 100 draws of themes, or of photos.
    """
    means = np.array([mood.mean for mood in moods])
    held = within(moods, PHOTOS.mean + np.sqrt(PHOTOS.covariance.diagonal()) * ratings, NINE_TENTHS)
    r = dict(zip(AXES, correlations(means, ratings), strict=True))
    spread = _intervals(means, ratings, themes or [str(row) for row in range(len(ratings))])
    return {
        "n": len(moods),
        **{f"{name}_r": value for name, value in r.items()},
        **{f"{name}_interval": between for name, between in zip(AXES, spread, strict=True)},
        "within_90": share_of(held),
    }


def within(moods: Sequence[Gaussian], places: Float64Array, distance: float) -> Any:
    """Return for n moods whether the place (n, 2) is nearer than a squared Mahalanobis distance."""
    off = places - [mood.mean for mood in moods]
    inverse = np.linalg.inv([mood.covariance for mood in moods])
    return np.einsum("ni,nij,nj->n", off, inverse, off) <= distance


def _intervals(
    means: Float64Array, ratings: Float64Array, groups: Sequence[str]
) -> list[list[float]]:
    names, of = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(of == group) for group in range(len(names))]
    rng = np.random.default_rng(7)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([rows[g] for g in rng.integers(len(rows), size=len(rows))])
        drawn.append(correlations(means[chosen], ratings[chosen]))
    ends: list[list[float]] = np.round(np.percentile(drawn, (2.5, 97.5), axis=0).T, 3).tolist()
    return ends


def by_kind(
    moods: Sequence[Gaussian],
    ratings: Float64Array,
    themes: Sequence[str],
    categories: Sequence[str],
) -> Report:
    """Return `n`, correlations and mean errors (mood minus rating, in sd) of kinds of photos."""
    means = np.array([mood.mean for mood in moods])
    errors = (means - PHOTOS.mean) / np.sqrt(PHOTOS.covariance.diagonal()) - ratings
    kinds = {name: np.isin(themes, members) for name, members in KINDS.items()}
    kinds |= {f"category {name}": np.array(categories) == name for name in sorted({*categories})}
    return {
        name: {
            "n": int(rows.sum()),
            "r": correlations(means[rows], ratings[rows]),
            "error": [round(float(each), 2) for each in errors[rows].mean(axis=0)],
            "rmse": [round(float(each), 2) for each in np.sqrt((errors[rows] ** 2).mean(axis=0))],
        }
        for name, rows in kinds.items()
        if rows.sum() > 2
    }


def side_figures(moods: Sequence[Gaussian], sides: Int64Array) -> Report:
    """Return how often moods are on the side (n, 2; -1, 0 or 1) of the middle of music.

    Sides of 0 are left out. Valence is misled where it's on the wrong side by more than its
    standard deviation.
    """
    off = np.array([mood.mean for mood in moods]) - MUSIC_MEAN
    sd = np.sqrt([mood.covariance.diagonal() for mood in moods])
    right = np.sign(off) == sides
    report: Report = {"n": len(moods)}
    for axis, name in enumerate(AXES):
        told = sides[:, axis] != 0
        report[f"{name}_right"] = share_of(right[told, axis])
        report[f"{name}_n"] = int(told.sum())
        if told.any():
            edges = interval(float(right[told, axis].mean()), int(told.sum()))
            report[f"{name}_interval"] = [round(edge, 3) for edge in edges]
    misled = ~right[:, 0] & (np.abs(off[:, 0]) > sd[:, 0])
    return report | {"valence_misled": share_of(misled[sides[:, 0] != 0])}
