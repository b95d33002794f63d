"""Run models in shadow mode beside the serving ones and note where they differ."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from PIL import Image

from recommender.locks import lock_person
from stories.models import ModelVersion, ShadowDifference, Story
from stories.registry.services.serving import shadows
from stories.workers import heartbeat

if TYPE_CHECKING:
    from ml.networks import Loaded

logger = logging.getLogger(__name__)


def run_shadows(*, story: Story) -> None:
    """Run the models in shadow mode on a share of the stories that have just been analysed.

    Only on photos of people who agreed that theirs improve tagging. The story is ready already;
    whatever goes wrong here is logged and changes nothing about it.
    """
    loaded = shadows()
    if not loaded or random.random() >= settings.STORIES_SHADOW_SHARE:
        return
    if not story.user.improve_consent:
        return
    try:
        with story.photo.file.open("rb") as file, Image.open(file, formats=["JPEG"]) as image:
            photo = image.convert("RGB")
        for version, network in loaded:
            if version.name != "emotion" or story.user.faces_consent is True:
                _run(version, network, story, photo)
    except Exception as error:  # a shadow never harms a story
        logger.exception("a model in shadow mode failed: %s", type(error).__name__)


def _run(version: ModelVersion, loaded: Loaded, story: Story, photo: Image.Image) -> None:
    from ml.networks import instead
    from ml.serving.labels import label_of

    heartbeat.note()
    serving = label_of(version.name, photo)
    with instead(version.name, loaded):
        shadow = label_of(version.name, photo)
    if serving is not None and shadow is not None:
        _store(version, story, serving, shadow)


@transaction.atomic
def _store(version: ModelVersion, story: Story, serving: str, shadow: str) -> None:
    person = lock_person(story.user_id)
    faces = version.name == "emotion"
    if person is None or not person.improve_consent or (faces and not person.faces_consent):
        return  # taken back meanwhile
    if not Story.objects.filter(pk=story.pk).exists():
        return
    ModelVersion.objects.filter(pk=version.pk).update(shadow_photos=F("shadow_photos") + 1)
    if serving != shadow:
        ShadowDifference.objects.update_or_create(
            version=version, story=story, defaults={"serving": serving, "shadow": shadow}
        )
