"""The daily media sweep, on any Django storage."""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage, default_storage
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from stories import services, tasks
from stories.models import Photo, Story, Video
from stories.services import media_sweep
from tests.factories import make_ready_story, make_story, make_video_story

pytestmark = pytest.mark.django_db

DAYS = 24 * 3600.0


def leave(kind: str = "photos", *, age: float = 2 * DAYS, name: str = "") -> str:
    """Create a file without a story, this many seconds old."""
    file = name or f"{uuid4()}.{'mp4' if kind == 'videos' else 'jpg'}"
    stored = default_storage.save(f"{kind}/{file[:2]}/{file}", ContentFile(b"left"))
    then = time.time() - age
    os.utime(default_storage.path(stored), (then, then))
    return stored


def grow_old(media: Path) -> None:
    then = time.time() - 2 * DAYS
    for path in media.rglob("*.*"):
        os.utime(path, (then, then))


def test_old_files_without_a_row_go_and_everything_else_stays(user: User, media: Path) -> None:
    make_ready_story(user)
    make_video_story(user)
    grow_old(media)
    kept = {str(path) for path in media.rglob("*.*")}
    left = [leave(kind) for kind in ("photos", "thumbnails", "videos", "sources")]
    young = leave(age=DAYS - 60)
    found = services.sweep_media()
    assert (found.files, found.without_row, found.removed) == (len(kept) + 5, 5, 4)
    assert (found.too_young, found.n_missing) == (1, 0)
    assert not any(default_storage.exists(name) for name in left)
    assert {str(path) for path in media.rglob("*.*")} == {*kept, default_storage.path(young)}


def test_stories_of_a_folder_stand_together_whenever_they_were_made(user: User) -> None:
    for minute, start in enumerate("abab"):
        story_id = UUID(f"{start * 8}{str(uuid4())[8:]}")
        make_story(user, id=story_id, created_at=timezone.now() - timedelta(minutes=minute))
    found = services.sweep_media()
    assert (found.files, found.without_row, found.n_missing) == (8, 0, 0)


def test_rows_deleted_behind_everybodys_back_leave_nothing_for_long(
    user: User, media: Path
) -> None:
    make_video_story(user)
    Photo.objects.all().delete()
    Video.objects.all().delete()
    grow_old(media)
    assert services.sweep_media().removed == 3
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_files_that_are_not_ours_are_left_alone(media: Path) -> None:
    for name in ("backup.tar", "photos/README", "other/ab/x.jpg"):
        default_storage.save(name, ContentFile(b"theirs"))
    grow_old(media)
    assert services.sweep_media().files == 0
    assert default_storage.exists("photos/README")


def test_rows_without_a_file_are_reported_by_name_and_kept(
    user: User, caplog: pytest.LogCaptureFixture
) -> None:
    story = make_story(user, caption="A secret")
    story.photo.file.delete(save=False)
    name = f"photos/{story.pk.hex[:2]}/{story.pk}.jpg"
    with caplog.at_level(logging.INFO):
        found = services.sweep_media()
    assert (found.n_missing, found.missing) == (1, [name])
    assert Story.objects.filter(pk=story.pk).exists()
    assert name in caplog.text
    assert "A secret" not in caplog.text


def test_a_story_that_goes_during_the_sweep_is_not_missing(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = make_story(user)
    pk, real = story.pk, media_sweep._list

    def list_later(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
        if folder == f"photos/{pk.hex[:2]}":
            story.photo.file.delete(save=False)
            Story.objects.filter(pk=pk).delete()
        return real(storage, folder)

    monkeypatch.setattr(media_sweep, "_list", list_later)
    assert services.sweep_media().n_missing == 0
    assert not Story.objects.filter(pk=pk).exists()


def test_with_the_database_of_another_site_nothing_is_removed(
    user: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media_sweep, "SUSPICIOUS", 3)
    make_story(user)
    left = [leave() for _ in range(4)]
    found = services.sweep_media()
    assert (found.without_row, found.removed) == (4, 0)
    assert "do DATABASE_URL and the storage belong together?" in caplog.text
    assert all(default_storage.exists(name) for name in left)
    assert services.sweep_media(force=True).removed == 4


def test_one_run_removes_so_much_and_the_next_goes_on(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_sweep, "MOST_REMOVED", 2)
    for _ in range(5):
        leave()
    assert [services.sweep_media().removed for _ in range(4)] == [2, 2, 1, 0]


def test_only_the_storage_api_is_needed(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on S3: no paths, no folders that have to exist."""
    memory = InMemoryStorage()
    for field in (Photo._meta.get_field("file"), Photo._meta.get_field("thumbnail")):
        monkeypatch.setattr(field, "storage", memory)
    monkeypatch.setattr(Video._meta.get_field("file"), "storage", memory)
    make_story(user)
    left = memory.save("photos/ab/abandoned.jpg", ContentFile(b"left"))
    assert services.sweep_media().too_young == 1
    monkeypatch.setattr(media_sweep, "LEFT_AFTER", -media_sweep.LEFT_AFTER)
    found = services.sweep_media()
    assert (found.files, found.removed, found.n_missing) == (3, 1, 0)
    assert not memory.exists(left)


def test_the_command_says_what_it_found_and_a_dry_run_removes_nothing(
    user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    name = leave()
    make_story(user).photo.thumbnail.delete(save=False)
    call_command("sweep_media", "--dry-run", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["without_row"], found["removed"], found["n_missing"]) == (1, 0, 1)
    assert default_storage.exists(name)
    call_command("sweep_media")
    result = capsys.readouterr().out
    assert "2 files, 1 of them without a story: 1 removed" in result
    assert "thumbnails/" in result


def test_the_task_sweeps(media: Path) -> None:
    leave()
    tasks.sweep_media()
    assert not list(media.rglob("*.jpg"))
