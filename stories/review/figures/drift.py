"""How what the models say moves from week to week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone

from ml.review.drift import binned, drift
from stories.models import Analysis
from stories.review.figures.cases import Question, probabilities
from stories.review.figures.tables import Cell, Row, Table
from stories.review.selectors import predicted

WEEKS, AGAINST = 13, 4
SAMPLE = 10_000
"""How many analyses are read at most; a random part of more."""

NOTE = f"""Population stability index of what the chosen version said in each week, against the
 {AGAINST} weeks before. By a rule of thumb, below 0.1 is stable and above 0.25 has moved, unless
 chance alone gives as much: compare it with the figure beside it."""


@dataclass
class _Week:
    """The classes that were named, and the likeliest classes' probabilities."""

    classes: list[str] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)


def drift_by_week(question: Question, version: str) -> Table:
    """The drift of predicted classes and of confidence, newest week first."""
    weeks = _weeks(question, version)
    rows = [
        Row(_cells(weeks, _this_week() - timedelta(weeks=ago)))
        for ago in range(WEEKS)
        if _this_week() - timedelta(weeks=ago) in weeks
    ]
    columns = ("Week from", "Classes", "By chance", "Confidence", "By chance", "n", "n before")
    return Table("drift", "Drift by week", NOTE, columns, rows, measured=False)


def _cells(weeks: dict[date, _Week], week: date) -> tuple[Cell, ...]:
    now = weeks[week]
    earlier = [week - timedelta(weeks=ago) for ago in range(1, AGAINST + 1)]
    before = [weeks[one] for one in earlier if one in weeks]
    classes = [name for one in before for name in one.classes]
    sure = [share for one in before for share in one.confidences]
    return (
        week.isoformat(),
        *_index(classes, now.classes),
        *_index(binned(sure), binned(now.confidences)),
        len(now.classes),
        len(classes),
    )


def _index(before: Sequence[str], now: Sequence[str]) -> tuple[float | None, float | None]:
    found = drift(before, now)
    return (found.psi, found.by_chance) if found else (None, None)


def _weeks(question: Question, version: str) -> dict[date, _Week]:
    weeks: dict[date, _Week] = defaultdict(_Week)
    newest = Analysis.objects.order_by("-created_at").first()
    version = version or (question.version(newest.versions) if newest else "")
    for analysis in _analyses():
        if question.version(analysis.versions) != version:
            continue
        said, week = predicted(analysis), weeks[_monday(analysis.created_at.date())]
        for at, label in question.answers(said["labels"]).items():
            week.classes.append(label)
            if stated := probabilities(said, question, at):
                week.confidences.append(max(stated.values()))
    return weeks


def _analyses() -> Iterator[Analysis]:
    since = _this_week() - timedelta(weeks=WEEKS + AGAINST - 1)
    recent = Analysis.objects.filter(created_at__date__gte=since)
    share = min(1.0, SAMPLE / max(recent.count(), 1))
    # Drawn by the number that every analysis has for the audit.
    return recent.filter(audit_draw__lt=share).iterator(chunk_size=1000)


def _this_week() -> date:
    return _monday(timezone.now().date())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
