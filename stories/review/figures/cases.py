"""What the figures count: predictions with the answers of reviewers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ml.labels import ACTIONS, EMOTIONS
from ml.review.mood_classes import FEELINGS, QUADRANTS
from stories.models import Reason, Review
from stories.pages.presenters import display_name, percent
from stories.review.answers import NONE
from stories.review.selectors import completed_reviews, gold_reviews, second_opinions

LATEST = 20_000
"""How many reviews are read, newest first, so that the page stays quick."""


@dataclass(frozen=True)
class Question:
    """A question of a review, the classes that count as its answers, and the models behind it."""

    name: str
    label: str
    classes: tuple[str, ...]
    models: tuple[str, ...]

    def version(self, versions: Mapping[str, str]) -> str:
        """The versions of the models behind the question, as one name."""
        known = [f"{name} {versions[name]}" for name in self.models if name in versions]
        return ", ".join(known) or "unknown"

    def answers(self, stored: Mapping[str, Any]) -> dict[str, str]:
        """The answers to this question, {index of a face, or "": answer}."""
        if self.name == "faces":
            return dict(stored.get("faces", {}))
        return {"": stored[self.name]} if self.name in stored else {}


QUESTIONS = (
    Question("faces", "Emotion of a face", EMOTIONS, ("emotion",)),
    Question("action", "Action", (*ACTIONS, NONE), ("action",)),
    Question("caption", "Feeling of the caption", FEELINGS, ("caption",)),
    Question("quadrant", "Mood quadrant", QUADRANTS, ("emotion", "action", "caption")),
)


def question_of(name: str) -> Question:
    """The question of this name, or the first one."""
    return next((one for one in QUESTIONS if one.name == name), QUESTIONS[0])


@dataclass(frozen=True)
class Case:
    """One prediction and the class that a reviewer named.

    `said` is what people were shown, which may be "uncertain"; `top` is the likeliest class with
    its `confidence`, where the model gives probabilities. `inclusion` is the probability with which
    the photo was drawn.
    """

    story_id: UUID
    item_id: UUID
    reason: str
    version: str
    answer: str
    said: str
    top: str | None
    confidence: float
    inclusion: float

    @property
    def likeliest(self) -> str:
        return display_name(self.top or "")

    @property
    def sure(self) -> str:
        return percent(self.confidence)


def cases(question: Question) -> list[Case]:
    """Every answer that names a class, newest first; neither gold nor lists accepted as a whole."""
    reviews = completed_reviews().filter(bulk=False).exclude(reason=Reason.GOLD)
    latest = reviews.select_related("item__first__item").defer("note")[:LATEST]
    return [case for review in latest for case in _cases(review, question)]


def known_answers(question: Question) -> list[tuple[int | None, bool]]:
    """Every answer to gold that names a class: the reviewer, and whether it was right."""
    return [
        (review.reviewer_id, answer == expected[at])
        for review in gold_reviews()[:LATEST]
        for expected in [question.answers(review.item.expected or {})]
        for at, answer in question.answers(review.answers).items()
        if answer in question.classes and expected.get(at) in question.classes
    ]


def independent_answers(question: Question) -> list[dict[int, str]]:
    """What several reviewers answered about the same: second opinions with the first, and gold."""
    found: dict[tuple[UUID, str], dict[int, str]] = {}
    for review in gold_reviews()[:LATEST]:
        _add(found, review.item_id, review, question)
    for second in second_opinions()[:LATEST]:
        if second.item.first:
            _add(found, second.item_id, second.item.first, question)
            _add(found, second.item_id, second, question)
    return [answers for answers in found.values() if len(answers) > 1]


def _add(
    found: dict[tuple[UUID, str], dict[int, str]], unit: UUID, review: Review, question: Question
) -> None:
    if review.reviewer_id is None:
        return
    for at, answer in question.answers(review.answers).items():
        found.setdefault((unit, at), {})[review.reviewer_id] = answer


def _cases(review: Review, question: Question) -> Iterator[Case]:
    labels = question.answers(review.predicted.get("labels", {}))
    for at, answer in question.answers(review.answers).items():
        if answer not in question.classes or at not in labels:
            continue
        stated = probabilities(review.predicted, question, at)
        top = max(stated, key=lambda name: stated[name]) if stated else None
        yield Case(
            story_id=review.story_id,
            item_id=review.item_id,
            reason=review.reason,
            version=question.version(review.versions),
            answer=answer,
            said=labels[at],
            top=top,
            confidence=stated[top] if top else 0.0,
            inclusion=_inclusion(review),
        )


def probabilities(stored: Mapping[str, Any], question: Question, at: str) -> dict[str, float]:
    """What the model stated about one answer to a question, {class: p}; empty if nothing."""
    if question.name == "faces":
        return stored["faces"][int(at)].get("probabilities") or {}
    return (stored.get("action") or {}) if question.name == "action" else {}


def _inclusion(review: Review) -> float:
    """A second opinion was drawn among the reviews, and the first review's photo before that."""
    first = review.item.first
    return review.item.inclusion * (first.item.inclusion if first else 1.0)
