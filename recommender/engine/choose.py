"""From scores to the few tracks shown: a little chance, known exactly, and variety.

Tracks are drawn one after another without replacement, each with probability proportional to
exp(score / temperature) among those still allowed (Plackett-Luce). The same draw comes from
adding Gumbel noise once and walking down the sum, which is how it is done here (Yellott 1977).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.content import FloatArray

TEMPERATURE = 0.15
PER_ARTIST = 2


@dataclass(frozen=True)
class Pick:
    """One drawn track: its row, and its chance given the tracks drawn before it."""

    row: int
    propensity: float


def story_noise(story: int, tracks: NDArray[np.uint64]) -> FloatArray:
    """Gumbel noise (n,) that depends on the story and the track alone.

    The same story meets the same luck however often its mood is corrected, so a list changes
    because the mood did. `story` and `tracks` are 64-bit identifiers; mixing after Steele et
    al. 2014 (splitmix64).
    """
    with np.errstate(over="ignore"):
        mixed = tracks + np.uint64(story % 2**64) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    uniform = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    noise: FloatArray = -np.log(-np.log(uniform))
    return noise


def choose(
    scores: FloatArray,
    *,
    artists: Sequence[frozenset[str]],
    songs: Sequence[str],
    n: int,
    noise: FloatArray,
    temperature: float = TEMPERATURE,
    per_artist: int = PER_ARTIST,
) -> list[Pick]:
    """Up to `n` rows in the order drawn, at most `per_artist` of one artist, each song once.

    `scores` and `noise` are (n,); `artists` holds every row's artist keys, `songs` its song
    key. The propensity is the probability of the row among the rows still allowed.
    """
    strengths = scores / temperature
    allowed = _Allowed(artists, songs, per_artist)
    picks: list[Pick] = []
    for row in np.argsort(-(strengths + noise), kind="stable"):
        if len(picks) == n:
            break
        if allowed.open[row]:
            picks.append(Pick(int(row), _probability(strengths, allowed.open, row)))
            allowed.take(int(row))
    return picks


def _probability(strengths: FloatArray, is_open: NDArray[np.bool_], row: int) -> float:
    among = strengths[is_open]
    return float(np.exp(strengths[row] - among.max()) / np.exp(among - among.max()).sum())


class _Allowed:
    """Which rows may still be drawn: `open` (n,) is kept true to the rules after each take."""

    def __init__(
        self, artists: Sequence[frozenset[str]], songs: Sequence[str], per_artist: int
    ) -> None:
        self._artists, self._songs, self._per_artist = artists, songs, per_artist
        self._taken: Counter[str] = Counter()
        self.open = np.ones(len(songs), dtype=np.bool_)

    def take(self, row: int) -> None:
        song = self._songs[row]
        self.open[[i for i, other in enumerate(self._songs) if other == song]] = False
        for name in self._artists[row]:
            self._taken[name] += 1
            if self._taken[name] == self._per_artist:
                self.open[[i for i, names in enumerate(self._artists) if name in names]] = False
