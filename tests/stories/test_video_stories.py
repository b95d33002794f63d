"""Video stories: upload, page, export and deletion."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import export_account
from ml.video import FRAMES
from recommender.models import Track
from stories import services
from stories.models import Story, Video
from stories.pages import media as photo_views
from stories.services.analysis import UNREADABLE
from stories.uploads.photos import UploadError
from stories.uploads.sandbox import SandboxError
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_sound_bytes,
    make_user,
    make_video_bytes,
    make_video_story,
)
from tests.stories.conftest import FakeModels, FakeQueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ready(user: User, tracks: list[Track]) -> Story:
    return make_ready_video_story(user, caption="A run")


def upload(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("wrong-ending.jpg", data or make_video_bytes())


def page(client: Client, story: Story) -> str:
    return " ".join(client.get(reverse("stories:story", args=[story.pk])).content.decode().split())


@pytest.mark.parametrize("form", ["mp4", "mov", "webm"])
def test_an_uploaded_video_waits_beside_its_poster(
    user: User, broker: FakeQueue, media: Path, form: str
) -> None:
    data = make_video_bytes(form)
    story = services.create_story(user=user, upload=upload(data))
    video = Video.objects.get(story=story)
    assert video.source.name == f"sources/{story.pk.hex[:2]}/{story.pk}.upload"
    assert video.source.read() == data
    assert not video.file
    assert video.seconds == pytest.approx(2, abs=0.11)
    assert (story.photo.width, story.photo.height) == (64, 48)
    assert len(stored(media)) == 3


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def encoded(story: Story) -> Video:
    """The story's video after a worker has encoded it."""
    services.transcode_next_video()
    return Video.objects.get(story=story)


def test_a_worker_replaces_the_upload(user: User, client: Client, media: Path) -> None:
    story = make_video_story(user, make_video_bytes("webm"), status="ready")
    assert services.transcode_next_video()
    video = Video.objects.get(story=story)
    assert (video.file.name, video.source.name, video.error) == (
        f"videos/{story.pk.hex[:2]}/{story.pk}.mp4", "", "",
    )  # fmt: skip
    whole = b"".join(client.get(reverse("stories:video", args=[story.pk])))
    assert whole == video.file.read()
    assert not services.transcode_next_video()


@pytest.mark.django_db(transaction=True)
def test_neither_upload_nor_video_is_left_anywhere(user: User, media: Path) -> None:
    story = make_video_story(user, status="ready")
    encoded(story)
    assert not [path for path in stored(media) if "sources" in path.parts]
    assert services.sweep_media(dry_run=True).without_row == 0
    services.delete_story(story=story)
    assert not stored(media)


@pytest.mark.django_db(transaction=True)
def test_deleting_a_story_that_waits_deletes_its_upload(user: User, media: Path) -> None:
    services.delete_story(story=make_video_story(user))
    assert not stored(media)


def test_the_upload_is_served_to_nobody(user: User, client: Client, ready: Story) -> None:
    story = make_video_story(user)
    assert client.get(reverse("stories:video", args=[story.pk])).status_code == 404
    Story.objects.filter(pk=ready.pk).update(status="ready")
    Video.objects.filter(pk=ready.pk).update(file="", source="sources/aa/x.upload")
    shown = page(client, ready)
    assert "Your video is being prepared." in shown
    assert "<video" not in shown
    assert "sources/" not in shown


def test_the_page_fetches_the_player_once_it_is_there(
    user: User, client: Client, ready: Story
) -> None:
    address, htmx = reverse("stories:player", args=[ready.pk]), {"HX-Request": "true"}
    assert "<video controls" in client.get(address, headers=htmx).content.decode()
    waiting = reverse("stories:player", args=[make_video_story(user).pk])
    assert client.get(waiting, headers=htmx).status_code == 204


@pytest.mark.parametrize("lost", [True, False])
def test_a_video_that_cannot_be_encoded_says_so_and_loses_nothing(
    user: User, client: Client, tracks: list[Track], lost: bool
) -> None:
    story = make_ready_story(user)
    video = Video.objects.create(story=story, seconds=2)
    video.source.save("", ContentFile(bytes(100)))
    if lost:
        video.source.storage.delete(str(video.source.name))
    video = encoded(story)
    assert (bool(video.file), bool(video.source)) == (False, False)
    assert "can’t be played" in video.error
    shown = page(client, story)
    assert video.error in shown
    assert "This feels" in shown


def test_an_upload_whose_worker_died_again_and_again_is_given_up(user: User, settings: Any) -> None:
    story = make_video_story(user, status="ready")
    attempts = {"attempts": settings.STORIES_MAX_ATTEMPTS, "claim": uuid4()}
    Video.objects.update(claimed_at=timezone.now() - timedelta(hours=1), **attempts)
    assert "too much memory or time" in encoded(story).error


def test_a_failing_sandbox_is_tried_a_few_times(
    user: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def fail(*_: Any) -> None:
        raise SandboxError("ValueError")

    story = make_video_story(user, status="ready")
    monkeypatch.setattr("stories.services.videos.sandbox.transcode", fail)
    for _ in range(settings.STORIES_MAX_ATTEMPTS):
        with pytest.raises(SandboxError):
            services.transcode_next_video()
        Video.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    assert "can’t be played" in encoded(story).error


def test_one_worker_at_a_time_has_a_video(user: User) -> None:
    make_video_story(user, status="ready")
    Video.objects.update(claim=uuid4(), claimed_at=timezone.now())
    assert not services.transcode_next_video()


def test_a_full_disk_costs_nothing_but_time(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    story = make_video_story(user, status="ready")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("stories.services.videos._store", full)
    with pytest.raises(OSError, match="no space"):
        services.transcode_next_video()
    monkeypatch.undo()
    video = Video.objects.get(story=story)
    assert (video.attempts, video.claim, bool(video.source)) == (0, None, True)
    Video.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    assert encoded(story).file


def test_a_video_of_a_story_that_is_analysed_waits_for_it(user: User) -> None:
    make_video_story(user)
    assert not services.transcode_next_video()


def test_a_refused_video_leaves_nothing(user: User, broker: FakeQueue, media: Path) -> None:
    with pytest.raises(UploadError, match="only sound"):
        services.create_story(user=user, upload=upload(make_sound_bytes()))
    assert not Story.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("broker")
def test_the_api_takes_a_video_where_it_takes_a_photo(user: User) -> None:
    api = APIClient()
    api.force_authenticate(user)
    body = api.post("/api/v1/stories/", {"photo": upload()}, format="multipart").json()
    assert (body["video"], body["video_status"]) == (None, "preparing")
    Story.objects.update(status="ready")
    encoded(Story.objects.get())
    body = api.get(f"/api/v1/stories/{body['id']}/").json()
    assert body["video"] == f"http://testserver/stories/{body['id']}/video"
    assert body["video_status"] == "ready"
    assert body["photo"].endswith("photo.jpg")
    assert body["moments"] == []
    refused = api.post(
        "/api/v1/stories/", {"photo": upload(make_sound_bytes())}, format="multipart"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "no_picture")
    long = upload(make_video_bytes(seconds=63, rate=1))
    answer = api.post("/api/v1/stories/", {"photo": long}, format="multipart")
    assert answer.json()["code"] == "too_long"


def test_analysis_looks_at_frames_and_keeps_how_the_mood_goes(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_video_story(user, make_video_bytes(seconds=6), caption="We ran")
    services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.error) == ("ready", "")
    called = {"size": (64, 48), "frames": FRAMES, "caption": "We ran", "faces": True}
    assert models.calls == [called]
    assert len(story.analysis.moments) == FRAMES
    assert set(story.analysis.moments[0]) == {"at", "valence", "energy"}


def test_a_video_whose_file_is_lost_is_said_in_words(user: User, models: FakeModels) -> None:
    story = make_video_story(user)
    story.video.source.storage.delete(str(story.video.source.name))
    with pytest.raises(FileNotFoundError):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.error) == ("failed", UNREADABLE)


def test_a_video_without_a_readable_frame_is_analysed_by_its_poster(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_video_story(user, bytes(100))
    services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert story.status == "ready"
    assert "frames" not in models.calls[0]


def test_the_page_shows_a_silent_player_and_how_the_mood_goes(client: Client, ready: Story) -> None:
    shown = page(client, ready)
    video = reverse("stories:video", args=[ready.pk])
    assert "<video controls" in shown
    assert f'src="{video}"' in shown
    assert "autoplay" not in shown
    assert "It begins calm and ends joyful." in shown
    assert '<span class="nums">1:05</span> joyful' in shown
    assert 'id="faces"' not in shown


def test_a_photo_has_neither_player_nor_timeline(client: Client, user: User) -> None:
    shown = page(client, make_ready_story(user))
    assert "<video" not in shown
    assert "Over time" not in shown


def test_a_player_gets_the_part_that_it_asks_for(client: Client, ready: Story) -> None:
    address, data = reverse("stories:video", args=[ready.pk]), ready.video.file.read()
    whole = client.get(address)
    assert (whole["Content-Type"], whole["Accept-Ranges"]) == ("video/mp4", "bytes")
    assert b"".join(whole) == data
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert part["Cache-Control"].startswith("private")
    beyond = client.get(address, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_an_open_ended_range_is_answered_part_by_part(
    client: Client, ready: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_views, "PART_BYTES", 7)
    address = reverse("stories:video", args=[ready.pk])
    part = client.get(address, headers={"Range": "bytes=0-"})
    assert (len(part.content), part["Content-Range"].split("/")[0]) == (7, "bytes 0-6")


def test_a_video_is_for_its_owner_only(ready: Story) -> None:
    other = Client()
    other.force_login(make_user())
    address = reverse("stories:video", args=[ready.pk])
    assert other.get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_deleting_the_story_deletes_the_video(
    ready: Story, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_story(story=ready)
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_the_export_holds_the_video(user: User, ready: Story) -> None:
    out = io.BytesIO()
    export_account(user=user, out=out)
    with zipfile.ZipFile(out) as archive:
        result = json.loads(archive.read("stories.json"))[0]
        assert archive.read(result["video"]) == ready.video.file.read()
    assert result["moments"] == ready.analysis.moments


def test_suggest_takes_a_video(models: FakeModels, tracks: list[Track], tmp_path: Path) -> None:
    path, out = tmp_path / "video.mov", io.StringIO()
    path.write_bytes(make_video_bytes("mov", seconds=6))
    call_command("suggest", str(path), "--json", stdout=out, skip_checks=True)
    assert len(json.loads(out.getvalue())["suggestions"]) == 10
    assert models.calls[0]["frames"] == FRAMES
