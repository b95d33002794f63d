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
    tag: str
    answer: str
    probabilities: Mapping[str, float]


Priorities = dict[UUID, dict[str, float]]
"""By story and tag, as TagEvent names tags."""


def queue_label_errors(*, limit: int = 500) -> int:
    """Queue the stories whose reviewed labels are most likely wrong; return how many are new."""
    shared = completed_reviews().filter(story__user__improve_consent=True)
    reviews = list(shared.only("story_id", "answers", "predicted", "item"))
    found: Priorities = {}
    _add_likely(found, list(_actions(reviews)), ACTIONS)
    _add_likely(found, list(_emotions(reviews)), EMOTIONS)
    return _queue(dict(sorted(found.items(), key=lambda one: -max(one[1].values()))[:limit]))


@transaction.atomic
def _queue(priorities: Priorities) -> int:
    known = ReviewItem.objects.filter(reason=Reason.LABEL_ERROR)
    before = known.count()
    analyses = Analysis.objects.filter(story__in=priorities, story__user__improve_consent=True)
    add_items(_item(one, priorities[one.story_id]) for one in analyses)
    return known.count() - before


def _item(analysis: Analysis, priorities: Mapping[str, float]) -> ReviewItem:
    priority = max(priorities.values())
    return new_item(analysis, Reason.LABEL_ERROR, priority, doubts=sorted(priorities))


def _add_likely(found: Priorities, labels: list[_Label], classes: tuple[str, ...]) -> None:
    if not labels:
        return
    given = np.array([classes.index(one.answer) for one in labels], dtype=np.int64)
    stated = np.array([[one.probabilities[name] for name in classes] for one in labels])
    for row, priority in likely_label_errors(given, stated).items():
        tags = found.setdefault(labels[row].story_id, {})
        tags[labels[row].tag] = max(priority, tags.get(labels[row].tag, 0.0))


def _actions(reviews: list[Review]) -> Iterator[_Label]:
    for review in reviews:
        said, model = review.answers.get("action"), review.predicted.get("action")
        yield from _label(review, "action", said, model)


def _emotions(reviews: list[Review]) -> Iterator[_Label]:
    for review in reviews:
        faces: list[dict[str, Any]] = review.predicted.get("faces", [])
        for at, answer in review.answers.get("faces", {}).items():
            yield from _label(review, f"face:{at}", answer, faces[int(at)]["probabilities"])


def _label(
    review: Review, tag: str, answer: str | None, probabilities: Mapping[str, float] | None
) -> Iterator[_Label]:
    """The answer where it's a class that the model knows, and the model said anything."""
    if probabilities and answer and answer in probabilities:
        yield _Label(review.story_id, tag, answer, probabilities)
