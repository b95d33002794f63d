"""The queue of likely label errors: answers that the model's probabilities speak against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from ml.labels import ACTIONS, EMOTIONS
from ml.review.label_errors import likely_label_errors
from stories.models import Analysis, Reason, Review, ReviewItem
from stories.review.selectors import completed_reviews
from stories.review.services.items import add_items, new_item


@dataclass(frozen=True)
class _Label:
    """A class that a reviewer named, and what the model had said."""

    story_id: UUID
    answer: str
    probabilities: Mapping[str, float]


def queue_label_errors(*, limit: int = 500) -> int:
    """Queue the stories whose reviewed labels are most likely wrong; return how many are new."""
    shared = completed_reviews().filter(story__user__improve_consent=True)
    reviews = list(shared.only("story_id", "answers", "predicted", "item"))
    priorities = _priorities(list(_actions(reviews)), ACTIONS)
    for story_id, priority in _priorities(list(_emotions(reviews)), EMOTIONS).items():
        priorities[story_id] = max(priority, priorities.get(story_id, 0.0))
    return _queue(dict(sorted(priorities.items(), key=lambda one: -one[1])[:limit]))


@transaction.atomic
def _queue(priorities: dict[UUID, float]) -> int:
    known = ReviewItem.objects.filter(reason=Reason.LABEL_ERROR)
    before = known.count()
    analyses = Analysis.objects.filter(story__in=priorities, story__user__improve_consent=True)
    add_items(new_item(one, Reason.LABEL_ERROR, priorities[one.story_id]) for one in analyses)
    return known.count() - before


def _priorities(labels: list[_Label], classes: tuple[str, ...]) -> dict[UUID, float]:
    if not labels:
        return {}
    given = np.array([classes.index(one.answer) for one in labels], dtype=np.int64)
    stated = np.array([[one.probabilities[name] for name in classes] for one in labels])
    found: dict[UUID, float] = {}
    for row, priority in likely_label_errors(given, stated).items():
        found[labels[row].story_id] = max(priority, found.get(labels[row].story_id, 0.0))
    return found


def _actions(reviews: list[Review]) -> Iterator[_Label]:
    for review in reviews:
        yield from _label(review, review.answers.get("action"), review.predicted.get("action"))


def _emotions(reviews: list[Review]) -> Iterator[_Label]:
    for review in reviews:
        faces: list[dict[str, Any]] = review.predicted.get("faces", [])
        for at, answer in review.answers.get("faces", {}).items():
            yield from _label(review, answer, faces[int(at)]["probabilities"])


def _label(
    review: Review, answer: str | None, probabilities: Mapping[str, float] | None
) -> Iterator[_Label]:
    """The answer where it's a class that the model knows, and the model said anything."""
    if probabilities and answer and answer in probabilities:
        yield _Label(review.story_id, answer, probabilities)
