"""New lists for stories that lost theirs together with their owner's own music."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from recommender.models import Suggestion
from stories.models import Analysis, Story
from stories.services.consent import send_refresh


def rank_lost_lists(user: User) -> None:
    """Have the person's stories without a suggestion ranked again, in the background.

    It runs in the transaction that deletes their own music, after that.
    """
    left = Suggestion.objects.filter(story_id=OuterRef("story_id"))
    lost = Analysis.objects.filter(
        ~Exists(left),
        story__user=user,
        story__status=Story.Status.READY,
        outdated=Analysis.Outdated.NOTHING,
    )
    if lost.update(outdated=Analysis.Outdated.SUGGESTIONS):
        transaction.on_commit(send_refresh)
