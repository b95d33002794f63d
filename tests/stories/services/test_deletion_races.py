"""Deletion and withdrawn consent while uploads and analyses are running."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import Storage
from django.db import connection

from accounts import personal_data
from accounts.models import User
from accounts.services import delete_account, record_faces_consent
from recommender.models import Track
from recommender.services import suggest_tracks
from stories import services
from stories.errors import StoryGoneError
from stories.models import Analysis, Photo, Story
from tests.factories import make_photo_bytes, make_story, make_user
from tests.stories.conftest import FakeModels, FakeQueue
from tests.stories.services.threads import beside
from tests.stories.workers.test_worker import wait_until

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db(transaction=True)


def somebody_waits() -> bool:
    """Whether a connection of this database waits for a lock of another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def left_of(user_id: int, media: Path) -> dict[str, int]:
    """Rows that refer to the person, stories without an owner, and files, by kind."""
    found = {"files": sum(path.is_file() for path in media.rglob("*"))}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model is User:
                rows = model._default_manager.filter(**{field.attname: user_id}).count()
                found[model._meta.label] = rows
    found["stories"] = Story.objects.count() + Photo.objects.count()
    return {name: count for name, count in found.items() if count}


def upload(user: User) -> Story:
    return services.create_story(user=user, upload=io.BytesIO(make_photo_bytes()))


def test_a_deletion_waits_for_an_upload_that_stores_its_files_and_takes_them_along(
    broker: FakeQueue, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, storing, may_go_on = make_user(), threading.Event(), threading.Event()
    real = Storage.save

    def slow(self: Storage, name: str | None, content: Any, max_length: Any = None) -> str:
        stored = real(self, name, content, max_length)
        storing.set()
        assert may_go_on.wait(20)
        return stored

    monkeypatch.setattr(Storage, "save", slow)
    pk = user.pk
    with beside(lambda: upload(user)) as uploading:
        assert storing.wait(20)
        with beside(lambda: delete_account(user=User.objects.get(pk=pk))) as deleting:
            # Where nothing makes it wait, it is done, and the upload comes too late.
            wait_until("waiting", lambda: somebody_waits() or not User.objects.filter(pk=pk))
            may_go_on.set()
    assert deleting == []
    assert all(isinstance(error, StoryGoneError) for error in uploading)
    assert left_of(pk, media) == {}


def test_an_upload_that_comes_after_the_deletion_stores_nothing_and_is_told(
    broker: FakeQueue, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, locked, may_go_on = make_user(), threading.Event(), threading.Event()
    stored: list[str] = []
    real = Storage.save

    def noting(self: Storage, name: str | None, content: Any, max_length: Any = None) -> str:
        stored.append(str(name))
        return real(self, name, content, max_length)

    def slow(_user: User) -> None:
        locked.set()
        assert may_go_on.wait(20)

    monkeypatch.setattr(Storage, "save", noting)
    monkeypatch.setattr(personal_data, "_parts", dict(personal_data._parts))
    personal_data.register("slow", export=lambda _user: [], erase=slow)
    pk = user.pk
    with beside(lambda: delete_account(user=User.objects.get(pk=pk))) as deleting:
        assert locked.wait(20)
        with beside(lambda: upload(user)) as uploading:
            wait_until("waiting", somebody_waits)
            may_go_on.set()
    assert deleting == []
    assert [type(error) for error in uploading] == [StoryGoneError]
    assert stored == []
    assert left_of(pk, media) == {}


@pytest.mark.parametrize("stage", ["faces", "mood"])
def test_an_analysis_of_somebody_who_is_deleted_meanwhile_is_dropped(
    broker: FakeQueue, models: FakeModels, media: Path, stage: str
) -> None:
    user = make_user()
    story, pk = make_story(user), user.pk
    models.before_stage = lambda now: (
        delete_account(user=User.objects.get(pk=pk)) if now == stage else None
    )
    assert services.analyse_story(story_id=story.pk) is None
    assert left_of(pk, media) == {}


def test_an_analysis_whose_photo_went_with_the_person_is_no_failure(
    broker: FakeQueue, models: FakeModels, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    story, pk = make_story(user), user.pk
    real = Storage.open

    def gone(self: Storage, name: str, mode: str = "rb") -> Any:
        delete_account(user=User.objects.get(pk=pk))
        return real(self, name, mode)

    monkeypatch.setattr(Storage, "open", gone)
    assert services.analyse_story(story_id=story.pk) is None
    assert left_of(pk, media) == {}


def test_a_deletion_waits_for_an_analysis_that_is_being_saved(
    broker: FakeQueue,
    models: FakeModels,
    tracks: list[Track],
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, saving, may_go_on = make_user(), threading.Event(), threading.Event()
    story, pk = make_story(user), user.pk
    real = suggest_tracks

    def slow(**how: Any) -> Any:
        saving.set()
        assert may_go_on.wait(20)
        return real(**how)

    monkeypatch.setattr("stories.services.analysis.suggest_tracks", slow)
    with beside(lambda: services.analyse_story(story_id=story.pk)) as working:
        assert saving.wait(20)
        with beside(lambda: delete_account(user=User.objects.get(pk=pk))) as deleting:
            wait_until("waiting", somebody_waits)
            may_go_on.set()
    assert (working, deleting) == ([], [])
    assert left_of(pk, media) == {}


def test_consent_withdrawn_while_an_analysis_is_being_saved_reaches_it(
    broker: FakeQueue,
    models: FakeModels,
    tracks: list[Track],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, saving, may_go_on = make_user(), threading.Event(), threading.Event()
    story = make_story(user)

    def slow(**how: Any) -> Any:
        saving.set()
        assert may_go_on.wait(20)
        return suggest_tracks(**how)

    monkeypatch.setattr("stories.services.analysis.suggest_tracks", slow)
    withdrawn = User.objects.filter(pk=user.pk, faces_consent=False)
    with beside(lambda: services.analyse_story(story_id=story.pk)) as working:
        assert saving.wait(20)
        with beside(lambda: record_faces_consent(user=user, agreed=False)) as saying_no:
            wait_until("waiting", lambda: somebody_waits() or withdrawn.exists())
            may_go_on.set()
    assert (working, saying_no) == ([], [])
    analysis = Analysis.objects.get(pk=story.pk)
    assert (analysis.emotion, analysis.faces, analysis.outdated) == (None, [], "suggestions")


UPLOADER = """
import io, sys, django
django.setup()
from accounts.models import User
from stories.services import job_publisher
from stories.errors import StoryGoneError
from stories.services import create_story
job_publisher.publish_analysis = lambda story_id: None
user, photo = User.objects.get(pk=int(sys.argv[1])), open(sys.argv[2], "rb").read()
for _ in range(1000):
    try:
        create_story(user=user, upload=io.BytesIO(photo), caption="one more")
    except StoryGoneError:
        sys.exit(0)
sys.exit("nobody deleted the person")
"""
ANALYSER = """
import sys, types, django
django.setup()
from accounts.models import User
from stories.models import Story
from stories.services import analyse_story
from tests.stories.conftest import FakeModels
module = sys.modules["ml.analysis"] = types.ModuleType("ml.analysis")
module.analyse, module.analyse_video = FakeModels().analyse, None
while User.objects.filter(pk=int(sys.argv[1])).exists():
    for pk in Story.objects.filter(status="queued").values_list("pk", flat=True)[:1]:
        analyse_story(story_id=pk)
"""


def test_processes_that_upload_and_analyse_during_the_deletion_leave_nothing(
    tracks: list[Track], media: Path, tmp_path: Path, test_environment: dict[str, str]
) -> None:
    pk, photo = make_user().pk, tmp_path / "photo.jpg"
    photo.write_bytes(make_photo_bytes((640, 480)))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(pk), str(photo)], env=test_environment, cwd=ROOT
        )
        for program in (UPLOADER, UPLOADER, ANALYSER)
    ]
    try:
        mine = Story.objects.filter(user_id=pk)
        wait_until("analysed", lambda: mine.filter(status="ready").exists() and mine.count() > 5)
        assert [worker.poll() for worker in workers] == [None] * 3
        delete_account(user=User.objects.get(pk=pk))
        assert [worker.wait(30) for worker in workers] == [0, 0, 0]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert left_of(pk, media) == {}
