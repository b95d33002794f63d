"""What a reviewer may answer."""

from __future__ import annotations

from typing import Any

import pytest

from stories.review.answers import by_tag, checked
from stories.review.errors import NoAnswerError, UnknownAnswerError


def test_answers_to_every_question_are_kept_as_they_are() -> None:
    answers = {
        "faces": {"0": "happy", "1": "wrong_box"},
        "missed_face": True,
        "action": "none",
        "caption": "mixed",
        "quadrant": "calm_pleasant",
    }
    assert checked(answers, faces=2, caption=True) == answers


def test_unanswered_questions_are_left_out() -> None:
    answers = {"faces": {}, "missed_face": False, "action": "running", "quadrant": None}
    assert checked(answers, faces=1, caption=True) == {"action": "running"}


@pytest.mark.parametrize(
    "answers",
    [
        {"action": "flying"},
        {"action": ["running"]},
        {"caption": "happy"},
        {"quadrant": "pleasant"},
        {"faces": {"0": "uncertain"}},
        {"faces": {"1": "happy"}},
        {"faces": {"-1": "happy"}},
        {"faces": ["happy"]},
        {"missed_face": "yes"},
        {"emotion": "happy"},
    ],
)
def test_an_unknown_question_or_answer_is_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(UnknownAnswerError):
        checked(answers, faces=1, caption=True)


def test_a_caption_that_is_not_there_cannot_be_judged() -> None:
    with pytest.raises(UnknownAnswerError, match="caption"):
        checked({"caption": "positive"}, faces=1, caption=False)


@pytest.mark.parametrize("answers", [{}, {"no_face": False}, {"faces": {}}])
def test_nothing_is_not_a_review(answers: dict[str, Any]) -> None:
    with pytest.raises(NoAnswerError):
        checked(answers, faces=1, caption=True)


def test_answers_by_tag_name_each_face() -> None:
    answers = {"faces": {"1": "sad"}, "action": "running"}
    assert by_tag(answers) == {"face:1": "sad", "action": "running"}
