"""Rerank scored tracks for diversity, with randomisation whose propensities are exactly known.

Tracks are drawn one after another from a softmax of score / temperature over those still allowed.
A track's score is reduced by `diversity` times its similarity to the most similar track drawn
before (maximal marginal relevance, Carbonell and Goldstein 1998). Each draw adds independent Gumbel
noise and takes the maximum, so its probability is exactly the softmax (Yellott 1977), and the
probability of the whole list is the product.

The first `n_sure` places can be deterministic; their propensity is one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.tracks.content import FloatArray

TEMPERATURE = 0.15
PER_ARTIST = 2
DIVERSITY = 0.4
"""Default score penalty for repeating artist, genre and era exactly."""
# What each adds to the similarity of two tracks, one in total; and the difference in years that
# halves the similarity of eras.
_SAME_ARTIST, _SAME_GENRE, _SAME_ERA = 0.5, 0.3, 0.2
_YEARS_TO_HALF = 8.0


@dataclass(frozen=True)
class Pick:
    """A drawn track: its row, and its probability given the tracks drawn before it."""

    row: int
    propensity: float


def story_noise(story: int, tracks: NDArray[np.uint64], n: int = 10) -> FloatArray:
    """Return Gumbel noise (n, n_tracks), one row per place, from a hash of story and track.

    A story keeps its noise, so that its list changes only if the mood or the scores do. `story`
    and `tracks` are 64-bit identifiers, hashed with splitmix64 (Steele et al. 2014).
    """
    places = np.arange(n, dtype=np.uint64)[:, None]
    with np.errstate(over="ignore"):
        start = np.uint64(story % 2**64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = tracks[None, :] + start + places * np.uint64(0xD1342543DE82EF95)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    uniform = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    noise: FloatArray = -np.log(-np.log(uniform))
    return noise


def rerank(
    scores: FloatArray,
    *,
    artists: Sequence[frozenset[str]],
    songs: Sequence[str],
    n: int,
    noise: FloatArray,
    genres: Sequence[str] | None = None,
    years: FloatArray | None = None,
    diversity: float = DIVERSITY,
    temperature: float = TEMPERATURE,
    per_artist: int = PER_ARTIST,
    n_sure: int = 0,
) -> list[Pick]:
    """Draw up to `n` rows, at most `per_artist` by one artist and each song once.

    `scores` are (n_tracks,), `noise` (>= n, n_tracks). For each row, `artists` holds the artist
    keys, `songs` the song key, `genres` the genre ("" if unknown) and `years` the year (NaN if
    unknown).
    """
    rest = _Rest(artists, songs, genres, years, per_artist)
    picks: list[Pick] = []
    for place in range(min(n, len(scores))):
        rows = np.flatnonzero(rest.open)
        if len(rows) == 0:
            break
        worth = scores[rows] - diversity * rest.likeness[rows]
        if place < n_sure:
            at, propensity = int(np.argmax(worth)), 1.0
        else:
            strengths = worth / temperature
            at = int(np.argmax(strengths + noise[place, rows]))
            propensity = float(softmax(strengths)[at])
        picks.append(Pick(int(rows[at]), propensity))
        rest.take(int(rows[at]))
    return picks


def softmax(strengths: FloatArray) -> FloatArray:
    """Return probabilities (n,) proportional to exp(strengths)."""
    weights = np.exp(strengths - strengths.max())
    probabilities: FloatArray = weights / weights.sum()
    return probabilities


class _Rest:
    """The rows that may still be drawn, and their similarity to those drawn already."""

    def __init__(
        self,
        artists: Sequence[frozenset[str]],
        songs: Sequence[str],
        genres: Sequence[str] | None,
        years: FloatArray | None,
        per_artist: int,
    ) -> None:
        self._artists, self._songs, self._genres, self._years = artists, songs, genres, years
        self._per_artist = per_artist
        self._taken: Counter[str] = Counter()
        self._by_artist = _rows_by((name, i) for i, names in enumerate(artists) for name in names)
        self._by_song = _rows_by((song, i) for i, song in enumerate(songs))
        self._by_genre = _rows_by((genre, i) for i, genre in enumerate(genres or ()))
        self.open = np.ones(len(songs), dtype=np.bool_)
        self.likeness = np.zeros(len(songs))
        """To the most similar row drawn, in [0, 1]."""

    def take(self, row: int) -> None:
        self.likeness = np.maximum(self.likeness, self._likeness_to(row))
        self.open[self._by_song[self._songs[row]]] = False
        for name in self._artists[row]:
            self._taken[name] += 1
            if self._taken[name] == self._per_artist:
                self.open[self._by_artist[name]] = False

    def _likeness_to(self, row: int) -> FloatArray:
        alike = np.zeros(len(self._songs))
        if self._years is not None:
            half_lives = np.abs(self._years - self._years[row]) / _YEARS_TO_HALF
            alike += _SAME_ERA * np.nan_to_num(0.5**half_lives, nan=0.0)
        if self._genres is not None and self._genres[row]:
            alike[self._by_genre[self._genres[row]]] += _SAME_GENRE
        same = np.zeros(len(self._songs), dtype=np.bool_)
        for name in self._artists[row]:
            same[self._by_artist[name]] = True
        alike[same] += _SAME_ARTIST
        return alike


def _rows_by(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for key, row in pairs:
        rows[key].append(row)
    return rows
