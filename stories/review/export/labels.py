"""What reviewers agree about in one story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml.labels import ACTIONS, EMOTIONS
from ml.review.mood_classes import FEELINGS
from stories.models import Reason, Review
from stories.review.answers import CANNOT_TELL, NONE

Box = tuple[float, ...]

CLASSES: Mapping[str, tuple[str, ...]] = {
    "emotion": EMOTIONS,
    "action": (*ACTIONS, NONE),
    "caption": FEELINGS,
}
"""The labels of each file of an export; other answers, such as "wrong_box", are left out."""


@dataclass(frozen=True)
class Label:
    """An agreed label of a story for one of CLASSES; `box` is the face's, for emotions."""

    kind: str
    label: str
    box: Box | None = None


@dataclass
class _Opinions:
    said: set[str] = field(default_factory=set)
    known: str | None = None


def agreed_labels(reviews: Iterable[Review], left_out: Counter[str]) -> list[Label]:
    """Return the labels about which all completed reviews of a story agree.

    A known answer (gold) decides; otherwise one differing opinion leaves the label out, which
    `left_out` counts as "disagreement". "cannot_tell" isn't an opinion.
    """
    opinions: dict[tuple[str, Box | None], _Opinions] = {}
    for review in reviews:
        _collect(review, opinions)
    found = []
    for (kind, box), opinion in opinions.items():
        said = {opinion.known} if opinion.known else opinion.said
        if len(said) > 1:
            left_out["disagreement"] += 1
        elif (label := next(iter(said), "")) in CLASSES[kind]:
            found.append(Label(kind, str(label), box))
        elif label:
            left_out["no_class"] += 1
    return found


def _collect(review: Review, opinions: dict[tuple[str, Box | None], _Opinions]) -> None:
    faces: Sequence[Mapping[str, Any]] = review.predicted.get("faces", [])
    is_gold = review.reason == Reason.GOLD
    answers = review.item.expected if is_gold else review.answers
    for kind, box, answer in _answers(answers or {}, faces):
        opinion = opinions.setdefault((kind, box), _Opinions())
        if is_gold:
            opinion.known = answer
        else:
            opinion.said.add(answer)


def _answers(
    answers: Mapping[str, Any], faces: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Box | None, str]]:
    for kind in ("action", "caption"):
        if answers.get(kind) not in (None, CANNOT_TELL):
            yield kind, None, answers[kind]
    for index, answer in answers.get("faces", {}).items():
        if answer != CANNOT_TELL and int(index) < len(faces):
            yield "emotion", tuple(faces[int(index)]["box"]), answer
