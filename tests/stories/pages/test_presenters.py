"""View models: mood plane, words, colours, and labels of faces."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.mood import MUSIC_MEAN, MoodTarget
from recommender.engine.mood_words import point_words
from stories.pages.mood_colours import mood_colour
from stories.pages.mood_plane import plane
from stories.pages.presenters import chips, face_boxes, intensity, percent, steps, tag


def test_ellipse_is_as_long_as_the_mood_is_unsure_and_turned_like_it() -> None:
    long, short = 0.2, 0.05
    turn = math.radians(30)  # counter-clockwise, as the plane has energy upwards
    c, s = math.cos(turn), math.sin(turn)
    spread = (
        (long**2 * c * c + short**2 * s * s, (long**2 - short**2) * c * s),
        ((long**2 - short**2) * c * s, long**2 * s * s + short**2 * c * c),
    )
    drawn = plane(MoodTarget(0.7, 0.6, spread), point_words(0.7, 0.6), [], None)
    even_odds = math.sqrt(2 * math.log(2))
    assert drawn.radius_x == pytest.approx(100 * long * even_odds, abs=0.01)
    assert drawn.radius_y == pytest.approx(100 * short * even_odds, abs=0.01)
    assert drawn.turn == -30.0  # SVG turns clockwise and has y downwards
    assert (drawn.x, drawn.y) == (70.0, 40.0)


def test_colours_of_the_corners_differ_and_the_middle_is_paler() -> None:
    corners = {mood_colour(v, e) for v in (0.0, 1.0) for e in (0.0, 1.0)}
    assert len(corners) == 4
    assert max(map(_fullness, corners)) > 10 * _fullness(mood_colour(*MUSIC_MEAN))


@given(*[st.floats(0, 1)] * 4)
def test_colour_is_never_fuller_for_a_less_certain_mood(
    valence: float, energy: float, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    pale, full = (_fullness(mood_colour(valence, energy, share)) for share in (less, more))
    assert pale <= full + 1  # of 255, by rounding


@pytest.mark.parametrize("valence", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_colours_run_into_each_other_without_a_seam(valence: float) -> None:
    steps = [_channels(mood_colour(valence, energy / 200)) for energy in range(201)]
    jumps = [abs(a - b) for one, other in pairwise(steps) for a, b in zip(one, other, strict=True)]
    assert max(jumps) < 20  # of 255; near black a channel moves in larger steps


def test_label_of_a_face_at_the_edge_stays_in_the_photo() -> None:
    middle, corner = face_boxes(
        [
            {
                "box": [0.3, 0.4, 0.2, 0.2],
                "probabilities": {"happy": 0.9, "sad": 0.1},
                "label": "happy",
            },
            {"box": [0.8, 0.0, 0.2, 0.2], "probabilities": {"happy": 0.9, "sad": 0.1}},
        ]
    )
    assert (middle.label, middle.label_anchor, middle.label_y) == ("happy 90%", "start", 40.0)
    assert (corner.label, corner.label_anchor, corner.label_x) == ("face", "end", 100.0)
    assert corner.label_y == 20.0


def test_face_whose_emotion_is_not_sure_is_not_given_one() -> None:
    seen = {"fear": 0.26, "sad": 0.25, "happy": 0.2}
    place = {"box": [0.3, 0.4, 0.2, 0.2], "probabilities": seen}
    (face,) = face_boxes([{**place, "label": "uncertain"}])
    assert face.label == "unsure"


def test_a_face_keeps_the_label_of_its_analysis() -> None:
    """However sure today's model would have to be."""
    seen = {"fear": 0.3, "sad": 0.25}
    (face,) = face_boxes([{"box": [0, 0, 1, 1], "probabilities": seen, "label": "fear"}])
    assert face.label == "fear 30%"


def test_intensity_keeps_its_order() -> None:
    shown = intensity("high", {"high": 0.7, "low": 0.2, "medium": 0.1})
    assert [bar.label for bar in shown.bars] == ["low", "medium", "high"]


def test_corrected_tag_says_no_share_of_what_the_model_saw() -> None:
    seen = {"happy": 0.8, "sad": 0.2}
    judged = tag("happy", seen, ("happy", "sad"), corrected=False)
    corrected = tag("sad", seen, ("happy", "sad"), corrected=True)
    assert (judged.sureness, corrected.sureness) == ("80%", "")
    assert [bar.is_top for bar in corrected.bars] == [False, True]


def test_words_that_say_nothing_in_particular_are_not_given_a_feeling() -> None:
    nothing = tag(None, None, (), corrected=False)
    flat, sad = {"happy": 0.26, "sad": 0.25}, {"happy": 0.2, "sad": 0.8}
    assert [c.words for c in chips(nothing, nothing, nothing, flat)] == ["Your words"]
    assert [c.words for c in chips(nothing, nothing, nothing, sad)] == ["Sad words"]
    assert chips(nothing, nothing, nothing, None) == []


def test_chip_of_an_intensity_that_could_be_another_is_left_out() -> None:
    nothing = tag(None, None, ["happy"], corrected=False)
    even = intensity("low", {"low": 0.54, "medium": 0.2, "high": 0.26})
    clear = intensity("low", {"low": 0.8, "medium": 0.1, "high": 0.1})
    assert chips(nothing, nothing, even, None) == []
    assert [c.words for c in chips(nothing, nothing, clear, None)] == ["Low intensity"]


@pytest.mark.parametrize(
    ("conformal_set", "words"),
    [
        (["happy"], ""),
        (["happy", "sad"], "happy or sad"),
        (["sad", "fear", "neutral"], "sad, fear or neutral"),
        (["sad", "fear", "neutral", "happy", "angry"], ""),
        ([], ""),
    ],
)
def test_uncertain_emotion_says_what_it_may_be(conformal_set: list[str], words: str) -> None:
    unsure = tag(
        "uncertain",
        {"sad": 0.4, "fear": 0.3},
        ("fear", "sad"),
        corrected=False,
        conformal_set=conformal_set,
    )
    assert unsure.either == words
    assert unsure.selected == (conformal_set[0] if conformal_set else "none")
    assert not any(bar.is_top for bar in unsure.bars)
    assert chips(unsure, tag(None, None, (), corrected=False), intensity(None, {}), None)[
        0
    ].words == ("Emotion unsure")


def test_steps_before_the_first_stage_are_all_ahead() -> None:
    assert {step.state for step in steps("", ["faces", "mood"])} == {"next"}
    assert [step.state for step in steps("mood", ["faces", "mood"])] == ["done", "now"]


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0%"), (0.004, "<1%"), (0.006, "1%"), (0.826, "83%"), (1.0, "100%")]
)
def test_shares_are_whole_percents(share: float, words: str) -> None:
    assert percent(share) == words


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _fullness(colour: str) -> int:
    channels = _channels(colour)
    return max(channels) - min(channels)


@pytest.mark.parametrize(
    ("light", "colour", "words"),
    [
        (0.5, -0.5, []),
        (1.4, 0.0, ["Bright"]),
        (-2.5, 1.0, ["Dark", "Vivid colours"]),
        (0.0, -1.6, ["Muted colours"]),
    ],
)
def test_light_and_colours_are_named_where_they_strike(
    light: float, colour: float, words: list[str]
) -> None:
    nothing = tag(None, None, (), corrected=False)
    seen = {"light": light, "colour": colour}
    assert [c.words for c in chips(nothing, nothing, nothing, None, seen)] == words
