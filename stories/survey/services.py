"""Save answers to the survey."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.cache import cache
from django.db import transaction

from accounts.models import User
from stories.models import SurveyAnswer
from stories.survey.selectors import LEVELS_KEY


@transaction.atomic
def save_answers(*, user: User, answers: Mapping[str, str]) -> None:
    """Replace all of this person's answers, {question: level}; missing ones are deleted."""
    User.objects.select_for_update().get(pk=user.pk)  # two tabs at once: one after the other
    SurveyAnswer.objects.filter(user=user).delete()
    SurveyAnswer.objects.bulk_create(
        SurveyAnswer(user=user, question=question, level=level)
        for question, level in answers.items()
    )
    # The answers are saved, and the levels expire anyway.
    transaction.on_commit(lambda: cache.delete(LEVELS_KEY), robust=True)
