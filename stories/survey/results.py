"""The survey's results as bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.intensity import levels
from ml.labels import ACTIONS, INTENSITIES
from stories.models import MUSIC, MUSIC_LEVELS
from stories.pages.presenters import Bar, display_name
from stories.survey.selectors import about_actions, counts


@dataclass(frozen=True)
class Result:
    """One question's answers as bars; `people` is how many answered it."""

    question: str
    people: int
    bars: list[Bar]
    expected: list[Bar]


def results() -> list[Result]:
    """Every question with its answers and, for an action, the intensity that Storify uses."""
    counted = counts()
    expected = levels(about_actions(counted))
    shown = [
        Result(
            display_name(action).capitalize(),
            sum(counted.get(action, {}).values()),
            _bars(counted.get(action, {}), INTENSITIES),
            _bars(expected[action], INTENSITIES),
        )
        for action in ACTIONS
    ]
    music = counted.get(MUSIC, {})
    return [
        *shown,
        Result("Music in a story", sum(music.values()), _bars(music, MUSIC_LEVELS), []),
    ]


def _bars(weights: Mapping[str, float], names: tuple[str, ...]) -> list[Bar]:
    total = sum(weights.values())
    if not total:
        return []
    top = max(weights.values())
    shares = {name: weights.get(name, 0) for name in names}
    return [Bar(name, value / total, value == top, "plain") for name, value in shares.items()]
