"""Stories for trying the review pages: drawn pictures with tags that are wrong now and then.

The tags are made up, and their version is "demo": no model reads the pictures, so that the queues
are full before a worker has started. A local site's own photos are tagged by the models.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ml.intensity import intensity_of
from ml.labels import ACTIONS, EMOTIONS, UNCERTAIN
from ml.mood import EMOTION_ANCHORS, Gaussian
from stories.models import Analysis, Photo, Story, TagEvent
from stories.review.answers import NONE
from stories.review.services import add_gold, backfill_items
from stories.selectors import fused_mood
from stories.services.tag_events import append_tag_events
from stories.uploads.photos import clean_picture
from storify_site.demo.pictures import Box, Scene, draw

DAYS = 45
VERSIONS = dict.fromkeys(("faces", "emotion", "action", "caption"), "demo")
# How often the made-up tags are right, and below which probability an emotion isn't named.
RIGHT = 0.75
NAMED_FROM = 0.45
# Of the actions that are wrong, those that the owner changed.
CORRECTED = 0.5
CAPTION_SD = 0.08
_LIGHTS = ("day", "room", "dusk", "grey", "room", "night")
_ACTIONS = (
    *("using_laptop", "listening_to_music", "calling", None, "texting"),
    *("drinking", None, "eating"),
)
# Each with the emotion that its words suggest.
_CAPTIONS: tuple[tuple[str, str], ...] = (
    ("Finally, the long weekend!", "happy"),
    ("Rain again, and the train is late.", "sad"),
    ("Tuesday, as usual.", "neutral"),
    ("You won't believe who just called.", "surprise"),
    ("", ""),
    ("Third time this week that somebody ate my lunch.", "angry"),
    ("What a lovely evening, thank you all.", "happy"),
)


def add_demo_stories(*, user: User, numbers: Sequence[int]) -> None:
    """Create the stories with these numbers for a person without stories.

    The person has agreed to reviews. A number always gives the same story.
    """
    if Story.objects.filter(user=user).exists():
        return
    for number in numbers:
        _add_story(user, number)
    backfill_items(user_id=user.pk)


@transaction.atomic
def _add_story(user: User, number: int) -> None:
    chance = random.Random(number)
    scene = _scene(number, chance)
    caption, feeling = _CAPTIONS[number % len(_CAPTIONS)]
    # One a day, so that figures by week have some to show.
    when = timezone.now() - timedelta(days=number % DAYS)
    story = Story.objects.create(
        user=user, caption=caption, status=Story.Status.READY, created_at=when, ready_at=when
    )
    picture, boxes = draw(scene)
    _add_photo(story, picture)
    _add_analysis(story, scene, boxes, feeling, chance)
    if number % 9 == 4:
        add_gold(story=story, expected=_truth(scene))


def _scene(number: int, chance: random.Random) -> Scene:
    people = (1, 1, 2, 1, 0, 3)[number % 6]
    expressions = tuple(chance.choice(EMOTIONS) for _ in range(people))
    action = _ACTIONS[number % len(_ACTIONS)] if people else None
    return Scene(_LIGHTS[number % len(_LIGHTS)], expressions, action, seed=number)


def _truth(scene: Scene) -> dict[str, Any]:
    faces = {str(place): shown for place, shown in enumerate(scene.expressions)}
    return {"action": scene.action or NONE} | ({"faces": faces} if faces else {})


def _add_photo(story: Story, picture: Any) -> None:
    clean = clean_picture(picture)
    photo = Photo(story=story, width=clean.width, height=clean.height)
    photo.file.save("photo.jpg", ContentFile(clean.jpeg), save=False)
    photo.thumbnail.save("thumbnail.jpg", ContentFile(clean.thumbnail), save=False)
    photo.save()


def _add_analysis(
    story: Story, scene: Scene, boxes: Sequence[Box], feeling: str, chance: random.Random
) -> None:
    faces = [_face(box, shown, chance) for box, shown in zip(boxes, scene.expressions, strict=True)]
    readings = [face["probabilities"] for face in faces]
    emotion = (
        {name: sum(p[name] for p in readings) / len(readings) for name in EMOTIONS}
        if readings
        else None
    )
    action = _guess(ACTIONS, scene.action, chance)
    analysis = Analysis(
        story=story,
        emotion=emotion,
        emotion_label=_named(emotion) if emotion else None,
        action=action,
        action_label=_top(action) if scene.action and max(action.values()) > 0.3 else None,
        intensity=intensity_of(action),
        caption=(caption := _guess(EMOTIONS, feeling, chance) if feeling else None),
        caption_mood=_mood_of(caption) if caption else None,
        faces=faces,
        versions=VERSIONS,
        created_at=story.created_at,
        audit_draw=_audit_draw(chance),
    )
    analysis.set_mood(fused_mood(analysis))
    analysis.save(force_insert=True)
    said, truth = analysis.action_label or NONE, scene.action or NONE
    if said != truth and chance.random() < CORRECTED:
        _correct(analysis, said, truth)


def _correct(analysis: Analysis, said: str, truth: str) -> None:
    """Let the owner change the action, without the suggestions that would follow."""
    analysis.corrected_action = truth
    analysis.save(update_fields=["corrected_action"])
    append_tag_events(
        story=analysis.story,
        actor=analysis.story.user,
        source=TagEvent.Source.OWNER,
        changes={"action": (said, truth)},
    )


def _mood_of(caption: dict[str, float]) -> dict[str, Any]:
    """The mood of a caption, about as certain as the model is of plain words."""
    anchor = np.array(EMOTION_ANCHORS[_top(caption)])
    return Gaussian(anchor, np.eye(2) * CAPTION_SD**2).to_json()


def _audit_draw(chance: random.Random) -> float:
    """Within the audit for every third, which is more than on a real site."""
    share = settings.STORIES_REVIEW_AUDIT_SHARE
    return chance.uniform(0, share) * 0.999 if chance.random() < 1 / 3 else chance.uniform(share, 1)


def _face(box: Box, shown: str, chance: random.Random) -> dict[str, Any]:
    probabilities = _guess(EMOTIONS, shown, chance)
    return {
        "box": list(box),
        "probabilities": probabilities,
        "weight": 1.0,
        "label": _named(probabilities),
    }


def _guess(classes: Sequence[str], truth: str | None, chance: random.Random) -> dict[str, float]:
    """Probabilities as a model gives them, highest on the truth in RIGHT of the cases."""
    right = truth is not None and chance.random() < RIGHT
    top = truth if right and truth else chance.choice(classes)
    sure = chance.uniform(0.5, 0.95) if right else chance.uniform(0.25, 0.6)
    rest = {name: chance.random() ** 3 for name in classes if name != top}
    total = sum(rest.values())
    return {
        name: round(sure if name == top else (1 - sure) * rest[name] / total, 6) for name in classes
    }


def _named(emotion: dict[str, float]) -> str:
    top = _top(emotion)
    return top if emotion[top] >= NAMED_FROM else UNCERTAIN


def _top(probabilities: dict[str, float]) -> str:
    return max(probabilities, key=probabilities.__getitem__)
