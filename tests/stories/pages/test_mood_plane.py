"""The mood plane at and off its boundaries, computed by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from ml.mood import MUSIC_MEAN, MoodTarget
from ml.mood.fusion import fuse
from recommender.engine.mood_words import mood_words, point_words
from stories.pages.mood_plane import plane

WORDS = point_words(0.5, 0.5)


def test_middle_of_the_picture_is_that_of_music_from_which_words_count() -> None:
    drawn = plane(MoodTarget(*MUSIC_MEAN, ((0.01, 0.0), (0.0, 0.01))), WORDS, [], None)
    assert (drawn.middle_x, drawn.middle_y) == pytest.approx((drawn.x, drawn.y), abs=0.01)


def test_point_of_an_unsure_mood_is_paler() -> None:
    """Drawn for the same place; grey, all channels alike, where nobody can tell."""
    mood = MoodTarget(0.2, 0.3, ((0.01, 0.0), (0.0, 0.01)))
    sure, unsure = point_words(0.2, 0.3), mood_words(fuse())
    colour = plane(mood, unsure, [], None).colour
    assert colour != plane(mood, sure, [], None).colour
    assert colour[1:3] == colour[3:5] == colour[5:7]


def test_point_is_drawn_in_percent_from_the_upper_left() -> None:
    drawn = plane(MoodTarget(0.2, 0.7, ((0.01, 0.0), (0.0, 0.04))), WORDS, [], None)
    assert (drawn.x, drawn.y, drawn.up) == (20.0, 30.0, 70.0)


def test_ellipse_of_an_upright_mood_is_tall() -> None:
    """Half of a 2-d normal lies within sqrt(2 log 2) = 1.1774 deviations; the long axis, 0.2, is
    the energy's, a quarter turn off. The radii come longest first."""
    drawn = plane(MoodTarget(0.5, 0.5, ((0.01, 0.0), (0.0, 0.04))), WORDS, [], None)
    assert (drawn.radius_x, drawn.radius_y) == pytest.approx((23.55, 11.77), abs=0.01)
    assert abs(drawn.turn) == 90.0


def test_ellipse_leans_as_the_mood_is_correlated() -> None:
    """[[0.05, 0.02], [0.02, 0.02]]: eigenvalues 0.06 and 0.01 along (2, 1), 26.6 degrees up."""
    drawn = plane(MoodTarget(0.5, 0.5, ((0.05, 0.02), (0.02, 0.02))), WORDS, [], None)
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
    drawn = plane(MoodTarget(0.5, 0.5, ((0.01, 0.0), (0.0, 0.01))), WORDS, rows, chosen.track.id)
    result = [(dot.suggestion_id, dot.x, dot.y, dot.is_chosen) for dot in drawn.dots]
    assert result == [(known.id, 20.0, 30.0, False), (chosen.id, 90.0, 60.0, True)]
    assert drawn.dots[0].title == "Rain – Ann"
