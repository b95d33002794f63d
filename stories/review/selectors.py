"""Queries on reviews: who may review, what waits in the queues, what was answered."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from ml.mood import Gaussian
from ml.review.mood_classes import feeling_of, quadrant_of
from stories.models import BLIND, Analysis, Photo, Reason, Review, ReviewItem, Story
from stories.review.answers import NONE
from stories.selectors import modelled_mood

BLIND_WHY = "Say what you see. The model's tags appear once you have answered."
WHY: dict[str, str] = {
    Reason.AUDIT: "Drawn at random: these photos tell how good the model really is.",
    Reason.UNCERTAIN: "The model is unsure about this photo.",
    Reason.DISAGREEMENT: "The picture and the caption suggest different moods.",
    Reason.OVERRIDDEN: "The owner changed what the model said.",
    Reason.LABEL_ERROR: "An earlier answer about this photo looks like a slip.",
    Reason.GOLD: BLIND_WHY,
    Reason.SECOND_OPINION: BLIND_WHY,
}


def may_review(user: User) -> bool:
    """Whether a user may review tags: staff with `stories.review_tags` ("Tag reviewers")."""
    return user.is_staff and user.is_active and user.has_perm("stories.review_tags")


def why(item: ReviewItem) -> str:
    """Why the item is in its queue, for its reviewer; gold looks like a second opinion."""
    return WHY[item.reason]


def people_who_share() -> list[int]:
    """The ids of everybody who agrees to reviews."""
    return list(User.objects.filter(improve_consent=True).values_list("pk", flat=True))


def reviewable_stories() -> QuerySet[Story]:
    """Analysed stories of people who agree to reviews at this moment."""
    return Story.objects.filter(
        status=Story.Status.READY, analysis__isnull=False, user__improve_consent=True
    )


def open_items(reviewer: User) -> QuerySet[ReviewItem]:
    """What this reviewer could review now, whoever holds a lease on it, best first."""
    return askable_items(reviewer).filter(~Q(reason__in=BLIND) | unseen_by(reviewer))


def askable_items(reviewer: User) -> QuerySet[ReviewItem]:
    """The same without a look at whether blind checks would still be blind.

    For one queue only, so that the database need not weigh a condition that depends on the queue:
    it then finds the next item by the index, and what was seen by anti-joins.
    """
    done = Review.objects.filter(item=OuterRef("pk"), reviewer=reviewer, undone_at=None)
    skipped = ReviewItem.skipped_by.through.objects.filter(
        reviewitem_id=OuterRef("pk"), user_id=reviewer.pk
    )
    return (
        ReviewItem.objects.filter(
            ~Exists(done),
            ~Exists(skipped),
            status=ReviewItem.Status.OPEN,
            story__status=Story.Status.READY,
            story__user__improve_consent=True,
        )
        .exclude(story__user=reviewer)
        .order_by("-priority", "id")
    )


def unseen_by(reviewer: User) -> Q:
    """Whether the reviewer can't know what the model said about an item's story.

    They haven't reviewed it (even if undone), nor skipped it or hold it where tags are shown.
    """
    skipped = ReviewItem.skipped_by.through.objects.filter(
        reviewitem__story=OuterRef("story"), user_id=reviewer.pk
    ).exclude(reviewitem__reason__in=BLIND)
    shown = ReviewItem.objects.filter(story=OuterRef("story"), leased_by=reviewer)
    reviewed = Review.objects.filter(story=OuterRef("story"), reviewer=reviewer)
    held = shown.exclude(reason__in=BLIND)
    return Q(~Exists(reviewed), ~Exists(skipped), ~Exists(held))


def free_items(reviewer: User) -> QuerySet[ReviewItem]:
    """What this reviewer could review now and nobody else holds."""
    return not_taken(open_items(reviewer), reviewer)


def leased() -> Q:
    """Items that somebody holds: a lease that has ended holds nothing."""
    return Q(leased_by__isnull=False, leased_until__gt=timezone.now())


def not_taken(items: QuerySet[ReviewItem], reviewer: User) -> QuerySet[ReviewItem]:
    """Those of the items that nobody else holds."""
    return items.exclude(leased() & ~Q(leased_by=reviewer))


def queue_sizes() -> dict[str, int]:
    """How many items are open in each queue, {reason: items}."""
    found = ReviewItem.objects.filter(status=ReviewItem.Status.OPEN).values_list("reason")
    counted = dict(found.annotate(items=Count("pk")).order_by())
    return {reason: counted.get(reason, 0) for reason in Reason.values}


def queues() -> list[dict[str, Any]]:
    """The queues that a reviewer may choose; blind checks are mixed into each of them."""
    waiting = queue_sizes()
    return [
        {"reason": one.value, "label": one.label, "why": WHY[one], "waiting": waiting[one]}
        for one in Reason
        if one not in BLIND
    ]


def visible_photos() -> QuerySet[Photo]:
    """Photos that reviewers may look at, at this moment."""
    return Photo.objects.filter(story__user__improve_consent=True)


def completed_reviews() -> QuerySet[Review]:
    """Every review that counts: not undone, newest first, with its item."""
    return Review.objects.filter(undone_at=None).select_related("item")


def gold_reviews() -> QuerySet[Review]:
    """Reviews of items whose answer is known (`item.expected`)."""
    return completed_reviews().filter(reason=Reason.GOLD)


def second_opinions() -> QuerySet[Review]:
    """Blind second opinions; `item.first` is the review that each of them checks."""
    return (
        completed_reviews()
        .filter(reason=Reason.SECOND_OPINION, item__first__undone_at=None)
        .select_related("item__first")
    )


def latest_reviews(reviewer: User, *, last: int = 10) -> list[Review]:
    """The reviewer's last reviews that aren't undone, newest first."""
    latest = Review.objects.filter(reviewer=reviewer).order_by("-created_at", "-id")[:last]
    return [review for review in latest if review.undone_at is None]


def undoable(reviewer: User) -> list[Review]:
    """Those of the last reviews that can be undone.

    A blind check can't: the model's tags were shown after it, so a second answer wouldn't be blind.
    """
    return [review for review in latest_reviews(reviewer) if not review.blind]


def predicted(analysis: Analysis) -> dict[str, Any]:
    """What the models said, without the owner's corrections; `labels` has the format of answers.

    `feeling` and `quadrant` are derived from the caption's mood and from the fused one.
    """
    mood = modelled_mood(analysis)
    feeling = (
        feeling_of(Gaussian.from_json(analysis.caption_mood)) if analysis.caption_mood else None
    )
    quadrant = quadrant_of(mood.valence, mood.energy)
    return {
        "faces": [
            {name: face.get(name) for name in ("box", "label", "probabilities")}
            for face in analysis.faces
        ],
        **{
            name: getattr(analysis, name)
            for name in ("emotion", "emotion_label", "action", "action_label", "caption")
        },
        "feeling": feeling,
        "quadrant": quadrant,
        "mood": mood.to_json(),
        "labels": _labels(analysis, feeling, quadrant),
    }


def _labels(analysis: Analysis, feeling: str | None, quadrant: str) -> dict[str, Any]:
    faces = {str(index): face.get("label") for index, face in enumerate(analysis.faces)}
    action = (analysis.action_label or NONE) if analysis.action else None
    found = {"faces": faces, "action": action, "caption": feeling, "quadrant": quadrant}
    return {name: label for name, label in found.items() if label}
