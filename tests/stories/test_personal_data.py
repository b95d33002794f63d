from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from accounts.services import delete_account, export_account
from stories import services
from stories.models import Story
from tests.factories import make_ready_story, make_story, make_user

pytestmark = pytest.mark.django_db


def test_the_export_holds_every_story_and_photo_of_the_person_and_no_other(user: User) -> None:
    ready, waiting = make_ready_story(user, caption="Grüße"), make_story(user)
    services.correct_story(story=ready, user=user, emotion="sad")
    make_story(make_user(), caption="somebody else's")
    out = io.BytesIO()
    export_account(user=user, out=out)
    with zipfile.ZipFile(out) as archive:
        told = json.loads(archive.read("stories.json"))
        photos = {name for name in archive.namelist() if name.startswith("photos/")}
        first = archive.read(f"photos/{ready.pk}.jpg")
    assert [one["id"] for one in told] == [str(waiting.pk), str(ready.pk)]
    assert told[1]["caption"] == "Grüße"
    assert told[1]["tags"]["emotion"]["label"] == "sad"
    assert set(told[1]["mood"]) == {"valence", "energy", "spread"}
    assert [(c["kind"], c["before"], c["after"]) for c in told[1]["corrections"]] == [
        ("emotion", "happy", "sad")
    ]
    assert told[0]["tags"] is None
    assert photos == {f"photos/{story.pk}.jpg" for story in (ready, waiting)}
    assert first.startswith(b"\xff\xd8")


def test_a_photo_that_the_storage_lost_does_not_stop_the_export(user: User) -> None:
    story = make_story(user)
    story.photo.file.delete(save=False)
    out = io.BytesIO()
    export_account(user=user, out=out)
    with zipfile.ZipFile(out) as archive:
        assert "stories.json" in archive.namelist()
        assert not [name for name in archive.namelist() if name.endswith(".jpg")]


def test_deleting_the_account_deletes_stories_and_files(
    user: User, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    make_ready_story(user)
    kept = make_story(make_user())
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=user)
    assert list(Story.objects.all()) == [kept]
    assert len(list(media.rglob("*.jpg"))) == 2
