"""The mood plane off its axes and at its boundaries, worked out by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from ml.mood import MoodTarget
from stories.pages.mood_plane import mood_word, plane

# Counter-clockwise from "pleasant"; each word holds an eighth of a turn around its direction.
WORDS = ("cheerful", "joyful", "energetic", "tense", "uneasy", "sad", "quiet", "calm")


@pytest.mark.parametrize("eighth", range(8))
def test_word_reaches_22_degrees_to_either_side_of_its_direction(eighth: int) -> None:
    for off, word in ((-22, eighth), (-10, eighth), (10, eighth), (22, eighth), (23, eighth + 1)):
        turn = math.radians(45 * eighth + off)
        place = 0.5 + 0.3 * math.cos(turn), 0.5 + 0.3 * math.sin(turn)
        assert mood_word(*place) == WORDS[word % 8]


def test_mood_is_balanced_within_seven_hundredths_of_the_middle() -> None:
    """(0.5 + 0.0625, 0.5) is exact in binary; at 0.07 itself a mood leans."""
    assert mood_word(0.5625, 0.5) == "balanced"
    assert mood_word(0.5 + 0.0625, 0.5 + 0.0313) == "balanced"
    assert mood_word(0.5 + 0.0625, 0.5 + 0.0325) != "balanced"


def test_mood_at_the_very_edge_of_balance_leans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stories.pages.mood_plane._BALANCED", 0.0625)
    assert mood_word(0.5625, 0.5) == "cheerful"


def test_point_is_drawn_in_percent_from_the_upper_left() -> None:
    drawn = plane(MoodTarget(0.2, 0.7, ((0.01, 0.0), (0.0, 0.04))), [], None)
    assert (drawn.x, drawn.y, drawn.up) == (20.0, 30.0, 70.0)


def test_ellipse_of_an_upright_mood_is_tall() -> None:
    """Half of a 2-d normal lies within sqrt(2 log 2) = 1.1774 deviations; the long axis, 0.2, is
    the energy's, a quarter turn off. The radii come longest first."""
    drawn = plane(MoodTarget(0.5, 0.5, ((0.01, 0.0), (0.0, 0.04))), [], None)
    assert (drawn.radius_x, drawn.radius_y) == pytest.approx((23.55, 11.77), abs=0.01)
    assert abs(drawn.turn) == 90.0


def test_ellipse_leans_as_the_mood_is_correlated() -> None:
    """[[0.05, 0.02], [0.02, 0.02]]: eigenvalues 0.06 and 0.01 along (2, 1), 26.6 degrees up."""
    drawn = plane(MoodTarget(0.5, 0.5, ((0.05, 0.02), (0.02, 0.02))), [], None)
    radii = [100 * math.sqrt(2 * math.log(2) * value) for value in (0.06, 0.01)]
    assert (drawn.radius_x, drawn.radius_y) == pytest.approx(tuple(radii), abs=0.01)
    assert drawn.turn == -26.6


def suggestion(valence: float | None, energy: float | None) -> Any:
    track = SimpleNamespace(
        id=uuid4(), title="Rain", artist_line="Ann", valence=valence, energy=energy
    )
    return SimpleNamespace(id=uuid4(), track=track)


def test_tracks_are_dots_in_percent_where_their_mood_is_known() -> None:
    known, chosen = suggestion(0.2, 0.7), suggestion(0.9, 0.4)
    rows = [known, suggestion(None, 0.5), suggestion(0.5, None), chosen]
    drawn = plane(MoodTarget(0.5, 0.5, ((0.01, 0.0), (0.0, 0.01))), rows, chosen.track.id)
    told = [(dot.suggestion_id, dot.x, dot.y, dot.is_chosen) for dot in drawn.dots]
    assert told == [(known.id, 20.0, 30.0, False), (chosen.id, 90.0, 60.0, True)]
    assert drawn.dots[0].title == "Rain – Ann"
