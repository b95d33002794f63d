"""Erasure of face data when consent is withdrawn.

Faces and emotions are erased in the transaction that withdraws consent. Moods and suggestions that
were derived from them are marked as outdated there and recomputed later, without running a model.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from accounts.models import User
from stories.models import Analysis, ShadowDifference, Story
from stories.review.services.consent import erase_reviewed_faces
from stories.selectors import fused_mood
from stories.services import job_publisher
from stories.services.corrections import suggest_again
from stories.services.tag_events import erase_face_events

WITHOUT_FACES: dict[str, Any] = {
    "emotion": None,
    "emotion_label": None,
    "emotion_set": [],
    "faces": [],
}
# How many moods the request recomputes itself, in about a millisecond each; a task does the rest.
AT_ONCE = 200
MOODS_A_STEP = 500
LISTS_A_STEP = 50

logger = logging.getLogger(__name__)


def without_faces(fields: dict[str, Any]) -> dict[str, Any]:
    """Strip the columns of an analysis of face data and fuse the mood from the rest."""
    # A moment's mood contains the emotion of its frame, which is not kept by itself.
    changed = fields | WITHOUT_FACES | ({"moments": []} if fields["emotion"] else {})
    analysis = Analysis(**changed)
    analysis.set_mood(fused_mood(analysis))
    return {name: getattr(analysis, name) for name in changed}


@transaction.atomic
def erase_faces(user: User) -> None:
    """Remove everything read from faces in this person's stories.

    What the person set by hand stays. The caller has locked the person's row, so that no analysis
    is saved in between.
    """
    analyses = Analysis.objects.filter(story__user=user)
    read = analyses.exclude(emotion__isnull=True, faces=[])
    erase_face_events(read)
    erase_reviewed_faces(user)
    ShadowDifference.objects.filter(story__user=user, version__name="emotion").delete()
    read.filter(emotion__isnull=False).update(moments=[])
    own = Q(mood_set_by_hand=True) | Q(corrected_emotion__isnull=False)
    read.update(
        **WITHOUT_FACES,
        outdated=Case(When(own, then=F("outdated")), default=Value(Analysis.Outdated.MOOD)),
    )
    _fuse_again(analyses, AT_ONCE)
    transaction.on_commit(send_refresh)


def send_refresh() -> None:
    """Ask a worker to refresh; without a broker the periodic task does."""
    try:
        job_publisher.publish_refresh()
    except job_publisher.BrokerUnavailableError:
        logger.warning("the broker is down; the periodic task will refresh moods")


def refresh_outdated() -> int:
    """Recompute a batch of outdated moods or, when none is left, of suggestions; return the count.

    Moods come first because they were read from faces. Safe to run concurrently and to stop at any
    time: a row's mark is removed in the transaction that refreshes it.
    """
    if fused := _fuse_again(Analysis.objects.all(), MOODS_A_STEP):
        return fused
    waiting = Story.objects.filter(
        analysis__outdated=Analysis.Outdated.SUGGESTIONS, status=Story.Status.READY
    )
    return sum(_rank_again(story) for story in waiting.order_by("-created_at")[:LISTS_A_STEP])


@transaction.atomic
def _fuse_again(analyses: QuerySet[Analysis], limit: int) -> int:
    outdated = analyses.filter(outdated=Analysis.Outdated.MOOD).order_by("-created_at")
    batch = list(outdated.select_for_update(skip_locked=True, of=("self",))[:limit])
    for analysis in batch:
        analysis.set_mood(fused_mood(analysis))
        analysis.outdated = Analysis.Outdated.SUGGESTIONS
    Analysis.objects.bulk_update(
        batch, ["mood_valence", "mood_energy", "mood_spread", "outdated"], batch_size=MOODS_A_STEP
    )
    return len(batch)


def _rank_again(story: Story) -> bool:
    try:
        suggest_again(story=story)
    except Story.DoesNotExist:  # deleted meanwhile
        return False
    except Exception:  # a failure must not stop the other stories; this one stays marked
        logger.exception("no new suggestions for story %s", story.pk)
        return False
    return True
