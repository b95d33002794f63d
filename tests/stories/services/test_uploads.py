from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import Storage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.models import User
from stories import services
from stories.errors import IdempotencyConflictError
from stories.models import Photo, Story
from stories.services.queue import DELAYED
from stories.services.uploads import sandbox
from stories.uploads.photos import UploadError
from stories.uploads.upload_handler import CAP_BYTES
from tests.factories import make_photo_bytes, make_user
from tests.stories.conftest import FakeQueue

Committing = Callable[..., AbstractContextManager[list[Callable[[], Any]]]]


def upload(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("../../My holiday.JPG", data or make_photo_bytes())


def test_create_story_stores_a_clean_photo_under_the_id_and_queues_it(
    user: User, broker: FakeQueue, django_capture_on_commit_callbacks: Committing, media: Path
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        story = services.create_story(user=user, upload=upload(), caption="At the sea")
    assert broker.sent == [story.pk]
    story.refresh_from_db()
    assert (story.status, story.caption, story.error) == ("queued", "At the sea", "")
    assert story.enqueued_at is not None
    photo = Photo.objects.get(story=story)
    assert photo.file.name == f"photos/{story.pk.hex[:2]}/{story.pk}.jpg"
    assert photo.thumbnail.name == f"thumbnails/{story.pk.hex[:2]}/{story.pk}.jpg"
    assert {path.name for path in media.rglob("*.*")} == {f"{story.pk}.jpg"}
    assert (photo.width, photo.height) == (64, 48)


def test_a_refused_photo_leaves_nothing(user: User, broker: FakeQueue, media: Path) -> None:
    with pytest.raises(UploadError):
        services.create_story(user=user, upload=upload(b"GIF89a..."))
    assert not Story.objects.exists()
    assert not list(media.rglob("*.jpg"))


def test_with_the_broker_down_the_story_is_kept_and_says_so(
    user: User, broker: FakeQueue, django_capture_on_commit_callbacks: Committing
) -> None:
    broker.down = True
    with django_capture_on_commit_callbacks(execute=True):
        story = services.create_story(user=user, upload=upload())
    story.refresh_from_db()
    assert (story.status, story.error, story.enqueued_at) == ("queued", DELAYED, None)


def test_a_storage_failure_leaves_neither_row_nor_files(
    user: User, broker: FakeQueue, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Storage.save

    def failing(self: Storage, name: str | None, content: Any, max_length: Any = None) -> str:
        if name and name.startswith("thumbnails"):
            raise OSError("disk full")
        return real(self, name, content, max_length)

    monkeypatch.setattr(Storage, "save", failing)
    with pytest.raises(OSError, match="disk full"):
        services.create_story(user=user, upload=upload())
    assert not Story.objects.exists()
    assert not list(media.rglob("*.jpg"))


def test_the_same_key_gives_the_same_story_without_another_file(
    user: User, broker: FakeQueue, media: Path
) -> None:
    first = services.create_story(user=user, upload=upload(), caption="a", idempotency_key="k")
    again = services.create_story(user=user, upload=upload(), caption="a", idempotency_key="k")
    assert first.pk == again.pk
    assert Story.objects.count() == 1
    assert len(list(media.rglob("*.jpg"))) == 2


def test_the_same_key_of_another_person_is_another_story(user: User, broker: FakeQueue) -> None:
    mine = services.create_story(user=user, upload=upload(), idempotency_key="k")
    theirs = services.create_story(user=make_user(), upload=upload(), idempotency_key="k")
    assert mine.pk != theirs.pk


@pytest.mark.parametrize(
    "other", [{"caption": "b"}, {"upload": upload(make_photo_bytes((50, 50)))}]
)
def test_the_same_key_for_something_else_is_a_conflict(
    user: User, broker: FakeQueue, other: dict[str, Any]
) -> None:
    services.create_story(user=user, upload=upload(), caption="a", idempotency_key="k")
    again: dict[str, Any] = {"upload": upload(), "caption": "a", **other}
    with pytest.raises(IdempotencyConflictError):
        services.create_story(user=user, idempotency_key="k", **again)


def test_without_a_key_every_upload_is_a_story(user: User, broker: FakeQueue) -> None:
    for key in ("", None):
        services.create_story(user=user, upload=upload(), idempotency_key=key)
    assert Story.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_with_one_key_are_one_story(
    broker: FakeQueue, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, both_read = make_user(), threading.Barrier(2, timeout=20)
    made: list[Story] = []

    real = sandbox.read

    def read_together(folder: Path) -> Any:
        result = real(folder)
        both_read.wait()  # neither saw the other's story
        return result

    monkeypatch.setattr(sandbox, "read", read_together)

    def run() -> None:
        try:
            story = services.create_story(
                user=user, upload=io.BytesIO(make_photo_bytes()), idempotency_key="k"
            )
            made.append(story)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2
    assert len({story.pk for story in made}) == 1
    assert Story.objects.count() == 1
    assert broker.sent == [made[0].pk]
    assert len(list(media.rglob("*.jpg"))) == 2
    assert default_storage.exists(str(Photo.objects.get().file.name))


def test_a_form_of_gigabytes_is_turned_away_unread(user: User, client: Client) -> None:
    client.force_login(user)
    answer = client.post("/stories/new/", {"photo": upload()}, CONTENT_LENGTH=str(CAP_BYTES + 1))
    assert answer.status_code in {400, 413}
    assert not Story.objects.exists()
    assert client.post("/stories/new/", {"photo": upload(b"GIF89a")}).status_code == 422
