from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client

from accounts.models import User
from accounts.services import delete_account, export_account
from recommender.models import Choice, Suggestion, Track, TrackSaves
from stories import selectors, services
from stories.models import Analysis, Photo, Story, TagEvent, Video
from stories.personal_data import EXPORTED, WITHHELD, export_stories
from stories.survey.services import save_answers
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_story,
    make_user,
    make_video_story,
    scene_mood,
)

pytestmark = pytest.mark.django_db


def test_the_export_holds_every_story_and_photo_of_the_person_and_no_other(user: User) -> None:
    ready, waiting = make_ready_story(user, caption="Grüße"), make_story(user)
    services.correct_story(story=ready, user=user, emotion="sad")
    make_story(make_user(), caption="somebody else's")
    out = io.BytesIO()
    export_account(user=user, out=out)
    with zipfile.ZipFile(out) as archive:
        result = json.loads(archive.read("stories.json"))
        photos = {name for name in archive.namelist() if name.startswith("photos/")}
        first = archive.read(f"photos/{ready.pk}.jpg")
    assert [one["id"] for one in result] == [str(waiting.pk), str(ready.pk)]
    assert result[1]["caption"] == "Grüße"
    assert result[1]["tags"]["emotion"]["label"] == "sad"
    assert set(result[1]["mood"]) == {"valence", "energy", "spread", "word", "certainty"}
    assert [(c["tag"], c["before"], c["after"]) for c in result[1]["tag_events"]] == [
        ("emotion", "happy", "sad")
    ]
    assert result[0]["tags"] is None
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


@pytest.mark.parametrize("way", ["person", "query set", "admin page", "admin action"])
def test_a_person_deleted_in_any_way_leaves_no_file_and_no_row(
    user: User,
    media: Path,
    client: Client,
    tracks: list[Track],
    way: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    story = make_ready_story(user)
    make_video_story(user)
    services.correct_story(story=story, user=user, emotion="sad")  # suggests, too
    services.save_choice(story=story, track_id=tracks[0].pk)
    people = "/admin/accounts/user/"
    client.force_login(make_user(is_staff=True, is_superuser=True))
    with django_capture_on_commit_callbacks(execute=True):
        if way == "person":
            User.objects.get(pk=user.pk).delete()
        elif way == "query set":
            User.objects.filter(pk=user.pk).delete()
        elif way == "admin page":
            page = client.get(f"{people}{user.pk}/delete/").content.decode()
            assert "with their stories, photos, videos, saved music" in page
            client.post(f"{people}{user.pk}/delete/", {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
            client.post(people, chosen)
    assert not User.objects.filter(pk=user.pk).exists()
    assert str(user) not in "".join(entry.object_repr for entry in LogEntry.objects.all())
    for model in (Story, Photo, Video, TagEvent, Suggestion, Choice):
        assert not model._default_manager.exists(), model
    assert not TrackSaves.objects.filter(n_saves__gt=0).exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_staff_who_may_not_delete_people_do_not(user: User, client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert (
        client.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert User.objects.filter(pk=user.pk).exists()


# --- every column is handed over, or knowingly not ---

MODELS = list(apps.get_app_config("stories").get_models())


@pytest.mark.parametrize("model", MODELS)
def test_every_column_is_exported_or_knowingly_withheld(model: type[Model]) -> None:
    columns = {field.name for field in model._meta.concrete_fields}
    exported, withheld = set(EXPORTED[model]), set(WITHHELD[model])
    assert not exported & withheld
    assert columns == exported | withheld


def test_the_export_tells_what_the_models_said_under_a_correction(user: User) -> None:
    story = make_ready_story(user)
    words, scene = {"mean": [0.2, 0.4], "covariance": [[0.04, 0], [0, 0.04]]}, scene_mood()
    seen = {"light": 1.0, "colour": 0.1, "mood": scene.to_json()}
    Analysis.objects.filter(pk=story.pk).update(caption_mood=words, scene=seen)
    services.correct_story(story=story, user=user, emotion="sad", action="dancing")
    result = json.loads(dict(export_stories(user))["stories.json"])[0]  # type: ignore[arg-type]
    analysis = result["analysis"]
    assert result["mood"] == selectors.described_mood(Story.objects.get())
    assert (result["tags"]["emotion"]["label"], analysis["emotion_label"]) == ("sad", "happy")
    assert (result["tags"]["action"]["label"], analysis["action_label"]) == ("dancing", "running")
    assert analysis["emotion"]["happy"] == pytest.approx(0.7)
    assert (analysis["caption_mood"], analysis["scene"]) == (words, seen)
    assert analysis["versions"] == {"emotion": "test"}
    assert analysis["corrected_emotion"] == "sad"


def test_every_exported_column_is_really_there(user: User) -> None:
    story = make_ready_video_story(user)
    services.correct_story(story=story, user=user, emotion="sad")
    save_answers(user=user, answers={"dancing": "high"})
    files = dict(export_stories(user))
    result = json.loads(files["stories.json"])[0]  # type: ignore[arg-type]
    places: dict[type[Model], Any] = {
        Story: result,
        Photo: {**result["photo_details"], "file": files[result["photo"]]},
        Video: {**result["video_details"], "file": files[result["video"]]},
        Analysis: result["analysis"],
        TagEvent: result["tag_events"][0],
    }
    for model, place in places.items():
        assert set(EXPORTED[model]) <= set(place), model
    answers = [json.loads(files[name]) for name in ("survey.json", "survey_dates.json")]  # type: ignore[arg-type]
    assert [set(one) for one in answers] == [{"dancing"}, {"dancing"}]
