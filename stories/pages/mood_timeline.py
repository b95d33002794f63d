"""The mood of a video over time: a path in the mood plane and two lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stories.pages.mood_plane import mood_word

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


def mood_timeline(moments: Sequence[Mapping[str, float]]) -> MoodTimeline | None:
    """The timeline of these moments; None for fewer than two."""
    if len(moments) < 2:
        return None
    first, last = moments[0]["at"], moments[-1]["at"]
    across = [100 * (m["at"] - first) / ((last - first) or 1) for m in moments]
    return MoodTimeline(
        path=_points([(100 * m["valence"], 100 * (1 - m["energy"])) for m in moments]),
        valence=_line(across, [m["valence"] for m in moments]),
        energy=_line(across, [m["energy"] for m in moments]),
        words=_words(moments),
        steps=[
            TimelinePoint(_clock(m["at"]), mood_word(m["valence"], m["energy"])) for m in moments
        ],
    )


def _words(moments: Sequence[Mapping[str, float]]) -> str:
    """Compare the first and last third: a single frame is too little."""
    third = max(len(moments) // 3, 1)
    begins, ends = _mean_word(moments[:third]), _mean_word(moments[-third:])
    if begins == ends:
        return f"It stays {begins} from beginning to end."
    return f"It begins {begins} and ends {ends}."


def _mean_word(moments: Sequence[Mapping[str, float]]) -> str:
    valence, energy = (sum(m[axis] for m in moments) for axis in ("valence", "energy"))
    return mood_word(valence / len(moments), energy / len(moments))


def _line(across: Sequence[float], values: Sequence[float]) -> str:
    return _points([(x, HEIGHT * (1 - y)) for x, y in zip(across, values, strict=True)])


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
