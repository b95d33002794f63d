"""How long each stage of an analysis takes, and how often stories fail at it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count
from django.utils import timezone

from ml.review.estimates import estimate
from ml.types import STAGES
from stories.models import Analysis, Story
from stories.review.figures.tables import Row, Table
from stories.services.stage_clock import LOADING, WAITING

DAYS, LATEST = 28, 20_000
WORDS = {WAITING: "In the queue", LOADING: "Loading"}
NOTE = f"""Stories of the last {DAYS} days, all models. The share is of those that failed at the
 stage and weren't tried again. Loading is opening the photo and, after a change, the models."""


def stages() -> Table:
    """The latency and the failures of each stage, in their order."""
    since = timezone.now() - timedelta(days=DAYS)
    timed = Analysis.objects.filter(created_at__gte=since).exclude(stage_seconds={})
    latest = list(timed.order_by("-created_at").values_list("stage_seconds", "created_at")[:LATEST])
    if len(latest) == LATEST:
        since = latest[-1][1]
    seconds: dict[str, list[float]] = defaultdict(list)
    for of_one, _ in latest:
        for stage, taken in of_one.items():
            seconds[stage].append(taken)
    failed = _failures(since)
    rows = [
        _row(stage, seconds[stage], failed[stage])
        for stage in (WAITING, LOADING, *STAGES)
        if seconds[stage] or failed[stage]
    ]
    columns = ("Stage", "Median, s", "95% within, s", "Timed")
    return Table("stages", "Failures and latency by stage", NOTE, columns, rows)


def _row(stage: str, seconds: list[float], failed: int) -> Row:
    median, most = np.quantile(seconds, (0.5, 0.95)).tolist() if seconds else (None, None)
    share = estimate([True] * failed + [False] * len(seconds))
    return Row((WORDS.get(stage, stage.capitalize()), median, most, len(seconds)), share)


def _failures(since: datetime) -> Counter[str]:
    failed = Story.objects.filter(status=Story.Status.FAILED, created_at__gte=since)
    counted = failed.order_by().values_list("failed_stage").annotate(stories=Count("pk"))
    return Counter({stage or LOADING: stories for stage, stories in counted})
