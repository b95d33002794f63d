"""The photos behind one cell of the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stories.models import BLIND, Reason, ReviewItem
from stories.pages.presenters import display_name
from stories.review.figures.cases import Case, Question, cases, question_of
from stories.review.selectors import visible_photos

MOST = 60


@dataclass(frozen=True)
class Cell:
    """`shown` are the cases whose photos may be looked at, of all that are counted."""

    question: Question
    version: str
    answer: str
    said: str
    counted: int
    shown: list[Case]

    @property
    def words(self) -> tuple[str, str]:
        return display_name(self.answer), display_name(self.said)

    @property
    def photos(self) -> list[Case]:
        return self.shown[:MOST]

    @property
    def withheld(self) -> int:
        return self.counted - len(self.shown)


def cell(asked: Mapping[str, Any]) -> Cell:
    """The cell that an address names by question, model version, answer and prediction."""
    question = question_of(asked.get("about", ""))
    version, answer, said = (str(asked.get(name, "")) for name in ("version", "answer", "said"))
    found = [
        case
        for case in cases(question)
        if (case.version, case.answer, case.said) == (version, answer, said)
        and case.reason == Reason.AUDIT
    ]
    return Cell(question, version, answer, said, len(found), _to_be_seen(found))


def _to_be_seen(found: list[Case]) -> list[Case]:
    """Those whose owners agree at this moment and about which nobody is being asked blind."""
    stories = {case.story_id for case in found}
    blind = ReviewItem.objects.filter(
        story__in=stories, reason__in=BLIND, status=ReviewItem.Status.OPEN
    )
    photos = visible_photos().filter(story__in=stories).exclude(story__in=blind.values("story"))
    may = set(photos.values_list("story_id", flat=True))
    return [case for case in found if case.story_id in may]
