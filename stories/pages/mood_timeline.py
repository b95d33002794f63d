"""The mood of a video over time: a path in the mood plane and two lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml.mood import MUSIC_MEAN, MoodTarget, Spread
from recommender.engine.mood_words import HARD_TO_TELL, mood_words

HEIGHT = 40
"""Height of the lines over time; their width is 100."""


@dataclass(frozen=True)
class TimelinePoint:
    """One moment: its time, and a word for its mood."""

    clock: str
    word: str


@dataclass(frozen=True)
class MoodTimeline:
    """Points in the format of SVG polylines, and words."""

    path: str
    valence: str
    energy: str
    words: str
    steps: list[TimelinePoint]

    @property
    def end(self) -> str:
        return self.steps[-1].clock


def mood_timeline(moments: Sequence[Mapping[str, float]], spread: Spread) -> MoodTimeline | None:
    """The timeline of these moments; None for fewer than two."""
    if len(moments) < 2:
        return None
    first, last = moments[0]["at"], moments[-1]["at"]
    across = [100 * (m["at"] - first) / ((last - first) or 1) for m in moments]
    return MoodTimeline(
        path=_points([(100 * m["valence"], 100 * (1 - m["energy"])) for m in moments]),
        valence=_line(across, [m["valence"] - MUSIC_MEAN[0] for m in moments]),
        energy=_line(across, [m["energy"] - MUSIC_MEAN[1] for m in moments]),
        words=_course(moments, spread),
        steps=[TimelinePoint(_clock(m["at"]), _word([m], spread)) for m in moments],
    )


def _course(moments: Sequence[Mapping[str, float]], spread: Spread) -> str:
    """Compare the first and last third: a single frame is too little."""
    third = max(len(moments) // 3, 1)
    begins, ends = _word(moments[:third], spread), _word(moments[-third:], spread)
    if begins == ends == HARD_TO_TELL:
        return "The mood is hard to tell from beginning to end."
    if begins == ends:
        return f"It stays {begins} from beginning to end."
    if begins == HARD_TO_TELL:
        return f"How it begins is hard to tell; it ends {ends}."
    if ends == HARD_TO_TELL:
        return f"It begins {begins}; how it ends is hard to tell."
    return f"It begins {begins} and ends {ends}."


def _word(moments: Sequence[Mapping[str, float]], spread: Spread) -> str:
    """Of the mean of these moments."""
    valence, energy = (
        sum(m[axis] for m in moments) / len(moments) for axis in ("valence", "energy")
    )
    return mood_words(MoodTarget(valence, energy, spread)).word


def _line(across: Sequence[float], above: Sequence[float]) -> str:
    """A line over time of how far above the middle of all music the mood is."""
    return _points([(x, HEIGHT * min(0.5 - y, 1.0)) for x, y in zip(across, above, strict=True)])


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
