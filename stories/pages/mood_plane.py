"""The valence x energy plane as SVG: the mood with its uncertainty, and the tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ml.mood import MUSIC_MEAN, MoodTarget
from recommender.engine.mood_words import MoodWords
from recommender.models import Suggestion
from stories.pages.mood_colours import mood_colour

# Half of a two-dimensional normal distribution lies within this many standard deviations.
_EVEN_ODDS = math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class Dot:
    suggestion_id: UUID
    title: str
    x: float
    y: float
    is_chosen: bool


@dataclass(frozen=True)
class Plane:
    """The plane in SVG coordinates: 100 x 100 with the origin at the upper left."""

    words: MoodWords
    valence: float
    energy: float
    x: float
    y: float
    radius_x: float
    radius_y: float
    turn: float
    dots: list[Dot]

    @property
    def up(self) -> float:
        return 100 - self.y

    @property
    def middle_x(self) -> float:
        """The middle of all music, from which the words count."""
        return 100 * MUSIC_MEAN[0]

    @property
    def middle_y(self) -> float:
        return 100 * (1 - MUSIC_MEAN[1])

    @property
    def word(self) -> str:
        return self.words.word

    @property
    def first_word(self) -> str:
        """Stands on one line with the dot that shows the colour."""
        return self.word.partition(" ")[0]

    @property
    def other_words(self) -> str:
        return self.word.partition(" ")[2]

    @property
    def colour(self) -> str:
        return mood_colour(self.valence, self.energy, self.words.share)


def plane(
    mood: MoodTarget, words: MoodWords, suggestions: Sequence[Suggestion], chosen: UUID | None
) -> Plane:
    """The mood's point with the ellipse in which it lies with even odds, and the tracks."""
    radius_x, radius_y, turn = _ellipse(mood.spread)
    return Plane(
        words=words,
        valence=round(mood.valence, 2),
        energy=round(mood.energy, 2),
        x=round(100 * mood.valence, 2),
        y=round(100 * (1 - mood.energy), 2),
        radius_x=radius_x,
        radius_y=radius_y,
        turn=turn,
        dots=[dot for s in suggestions if (dot := _dot(s, chosen))],
    )


def _ellipse(spread: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Radii in percent of the plane and the rotation in degrees, clockwise as in SVG."""
    (a, b), (_, d) = spread
    middle, reach = (a + d) / 2, math.hypot((a - d) / 2, b)
    radii = [100 * _EVEN_ODDS * math.sqrt(max(middle + sign * reach, 0)) for sign in (1, -1)]
    turn = -math.degrees(math.atan2(2 * b, a - d) / 2)
    return round(radii[0], 2), round(radii[1], 2), round(turn, 1)


def _dot(suggestion: Suggestion, chosen: UUID | None) -> Dot | None:
    track = suggestion.track
    if track.valence is None or track.energy is None:
        return None
    x, y = round(100 * track.valence, 2), round(100 * (1 - track.energy), 2)
    title = f"{track.title} – {track.artist_line}"
    return Dot(suggestion.id, title, x, y, track.id == chosen)
