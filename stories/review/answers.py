"""The questions of a review with their possible answers, as they are stored.

`{"faces": {"0": …}, "missed_face": true, "no_face": true, "action": …, "caption": …,
"quadrant": …}`; a question that wasn't answered is left out. The keys of `faces` are the indices of
the analysis's faces, in its order. Predicted labels are stored in the same format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.labels import ACTIONS, EMOTIONS
from ml.review.mood_classes import FEELINGS, QUADRANTS
from stories.review.errors import NoAnswerError, UnknownAnswerError

Answers = Mapping[str, Any]

CANNOT_TELL = "cannot_tell"
NONE = "none"
NOT_A_FACE, WRONG_BOX = "not_a_face", "wrong_box"

FACE_ANSWERS = (*EMOTIONS, NOT_A_FACE, WRONG_BOX, CANNOT_TELL)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "action": (*ACTIONS, NONE, CANNOT_TELL),
    "caption": (*FEELINGS, CANNOT_TELL),
    "quadrant": (*QUADRANTS, CANNOT_TELL),
}
MARKS = ("missed_face", "no_face")
"""What is either marked or not."""


def checked(answers: Answers, *, faces: int, caption: bool) -> dict[str, Any]:
    """Return the answers to store about a story with this many faces, with or without a caption.

    Raises UnknownAnswerError for an unknown question or answer, NoAnswerError if there is none.
    """
    known = {"faces", *MARKS, *CHOICES}
    for name in answers:
        if name not in known or (name == "caption" and not caption):
            raise UnknownAnswerError(str(name))
    kept: dict[str, Any] = {
        name: _one_of(name, answers[name]) for name in CHOICES if answers.get(name) is not None
    }
    kept |= {name: True for name in MARKS if _mark(name, answers.get(name, False))}
    if about := _faces(answers.get("faces") or {}, faces):
        kept["faces"] = about
    if not kept:
        raise NoAnswerError
    return kept


def by_tag(answers: Answers) -> dict[str, Any]:
    """Return the answers flat, by the names that the history of tags uses."""
    faces = {f"face:{index}": answer for index, answer in answers.get("faces", {}).items()}
    return faces | {name: answer for name, answer in answers.items() if name != "faces"}


def _one_of(name: str, answer: Any) -> str:
    if answer not in CHOICES[name]:
        raise UnknownAnswerError(name)
    return str(answer)


def _mark(name: str, answer: Any) -> bool:
    if not isinstance(answer, bool):
        raise UnknownAnswerError(name)
    return answer


def _faces(answers: Any, faces: int) -> dict[str, str]:
    if not isinstance(answers, Mapping):
        raise UnknownAnswerError("faces")
    for index, answer in answers.items():
        if str(index) not in {str(one) for one in range(faces)} or answer not in FACE_ANSWERS:
            raise UnknownAnswerError("faces")
    return {str(index): answer for index, answer in answers.items()}
