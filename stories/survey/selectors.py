"""Queries on the survey: a person's answers, total counts and the resulting intensities."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from django.core.cache import cache
from django.db.models import Count
from redis.exceptions import RedisError

from accounts.models import User
from ml.intensity import levels
from ml.labels import ACTIONS
from stories.models import SurveyAnswer

LEVELS_KEY = "survey-levels"
LEVELS_SECONDS = 600


def answers_of(user: User) -> dict[str, str]:
    """One person's answers, {question: level}."""
    return dict(SurveyAnswer.objects.filter(user=user).values_list("question", "level"))


def counts() -> dict[str, dict[str, int]]:
    """How many people gave each answer, {question: {level: people}}."""
    by_question: dict[str, dict[str, int]] = {}
    rows = SurveyAnswer.objects.values_list("question", "level").annotate(people=Count("pk"))
    for question, level, people in rows.order_by():
        by_question.setdefault(question, {})[level] = people
    return by_question


def action_levels() -> dict[str, dict[str, float]]:
    """The intensity of every action after all answers; at most ten minutes old.

    Without the cache they are counted anew each time.
    """
    cached: dict[str, dict[str, float]] | None = None
    with suppress(RedisError):
        cached = cache.get(LEVELS_KEY)
    if cached is None:
        cached = levels(about_actions(counts()))
        with suppress(RedisError):
            cache.set(LEVELS_KEY, cached, LEVELS_SECONDS)
    return cached


def about_actions(by_question: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The counts without those of the question about music."""
    return {question: by_level for question, by_level in by_question.items() if question in ACTIONS}


def people() -> int:
    """How many people answered anything."""
    return SurveyAnswer.objects.values("user").distinct().count()
