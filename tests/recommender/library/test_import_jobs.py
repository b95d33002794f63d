"""Files on their way into a library: read by a worker, given up, taken back, deleted."""

import io
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.spotify.scopes import Purpose
from recommender import personal_data, tasks
from recommender.library.importing import archives, jobs, services
from recommender.library.importing.services import LibraryReport
from recommender.library.store import store_tracks
from recommender.models import LibraryImport, LibraryTrack, Track
from tests.factories import make_user
from tests.recommender.library.conftest import deleted_once_claimed
from tests.recommender.library.exports import make_export, saved, titles, uri
from tests.recommender.library.factories import hold, make_own_track, make_spotify_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def test_an_uploaded_file_is_read_in_the_background_and_deleted(
    user: User, tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled: list[User] = []
    monkeypatch.setattr(jobs, "fill_library", lambda *, user: filled.append(user))
    client.force_login(user)
    path = make_export(tmp_path, YourLibrary={"tracks": [saved("Mine", make_spotify_id())]})
    answer = client.post(
        reverse("recommender:import_library"), {"file": path.open("rb")}, follow=True
    )
    assert "Storify is reading your file." in answer.content.decode()
    job = LibraryImport.objects.get()
    again = client.post(
        reverse("recommender:import_library"), {"file": path.open("rb")}, follow=True
    )
    assert "still being read" in again.content.decode()
    tasks.import_library(job.pk)
    tasks.import_library(job.pk)
    assert (titles(user), filled) == ({"Mine"}, [user])
    assert not job.file.storage.exists(str(job.file.name))
    assert "is imported" in client.get(reverse("accounts:account")).content.decode()


def test_a_file_deleted_just_after_the_claim_is_not_read(user: User) -> None:
    job = jobs.start_import(user=user, file=File(io.BytesIO(b"{}"), name="x.json"))
    with deleted_once_claimed(LibraryImport):
        assert jobs.run_import(import_id=job.pk) is None


def test_a_file_that_cannot_be_read_says_so_on_the_page(user: User, client: Client) -> None:
    client.force_login(user)
    client.post(reverse("recommender:import_library"), {"file": io.BytesIO(b'{"hello": 1}')})
    tasks.import_library(LibraryImport.objects.get().pk)
    assert "holds no music" in client.get(reverse("accounts:account")).content.decode()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The imports whose task was sent."""
    tasks: list[int] = []
    monkeypatch.setattr(jobs, "_enqueue", tasks.append)
    return tasks


def make_abandoned(user: User, content: bytes, seconds: int, attempts: int = 1) -> LibraryImport:
    """An import whose worker showed last so many seconds ago that it's there."""
    job = jobs.start_import(user=user, file=File(io.BytesIO(content), name="x.csv"))
    claimed_at = timezone.now() - timedelta(seconds=seconds)
    state = {"state": "reading", "claimed_at": claimed_at, "attempts": attempts}
    LibraryImport.objects.filter(pk=job.pk).update(**state)
    job.refresh_from_db()
    return job


def test_a_file_whose_worker_died_is_read_again_within_a_minute(
    user: User, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "fill_library", lambda *, user: None)
    table = f"Track URI,Track Name,Artist Name(s)\n{uri(make_spotify_id())},Mine,Me\n"
    job = make_abandoned(user, table.encode(), seconds=40)

    assert jobs.continue_imports() == 1

    assert sent == [job.pk]
    assert jobs.run_import(import_id=job.pk) is not None
    job.refresh_from_db()
    assert (job.state, job.attempts, titles(user)) == ("done", 2, {"Mine"})


def test_a_file_that_ends_two_workers_is_given_up_and_deleted(
    user: User, client: Client, sent: list[int]
) -> None:
    job = make_abandoned(user, b"x", seconds=40, attempts=2)

    assert jobs.continue_imports() == 0

    assert jobs.run_import(import_id=job.pk) is None
    client.force_login(user)
    assert "finish reading this file" in client.get(reverse("accounts:account")).content.decode()
    assert not job.file.storage.exists(str(job.file.name))


def test_a_file_that_is_being_read_is_left_to_its_worker(user: User, sent: list[int]) -> None:
    job = make_abandoned(user, b"x", seconds=10)
    assert jobs.continue_imports() == 0
    assert jobs.run_import(import_id=job.pk) is None


def test_a_worker_that_was_taken_for_dead_stores_nothing_more(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_export(tmp_path, YourLibrary={"tracks": [saved("Mine", make_spotify_id())]})
    job = jobs.start_import(user=user, file=File(path.open("rb"), path.name))

    def taken_over(*_: Any) -> Any:
        LibraryImport.objects.update(attempts=2, claimed_at=timezone.now())
        return archives.items_in(path, path.name)

    monkeypatch.setattr(services, "items_in", taken_over)
    assert jobs.run_import(import_id=job.pk) is None
    job.refresh_from_db()
    assert (job.state, titles(user)) == ("reading", set())
    assert job.file.storage.exists(str(job.file.name))


@pytest.mark.django_db(transaction=True)
def test_a_worker_shows_that_it_is_there_while_it_reads(
    user: User, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "fill_library", lambda *, user: None)
    shown: list[Any] = []

    def read(**_: Any) -> LibraryReport:
        deadline = time.monotonic() + 10
        while len({*shown}) < 3 and time.monotonic() < deadline:
            shown.append(LibraryImport.objects.get().claimed_at)
        return LibraryReport()

    monkeypatch.setattr(jobs, "import_library", read)
    job = jobs.start_import(user=user, file=File(io.BytesIO(b"x"), name="x.csv"))

    jobs.run_import(import_id=job.pk)

    assert len({*shown}) == 3


def test_music_from_files_stays_until_it_is_deleted_itself(user: User, client: Client) -> None:
    imported, read = make_own_track(user, source="import"), make_own_track(user)
    hold(user, imported, "saved")
    personal_data.forget_library(user, Purpose.LIBRARY)
    held = LibraryTrack.objects.filter(user=user)
    assert [(one.track, one.source) for one in held.select_related("track")] == [
        (imported, "import")
    ]
    assert not Track.objects.filter(pk=read.pk).exists()
    client.force_login(user)
    client.post(reverse("recommender:delete_library"))
    assert not LibraryTrack.objects.exists()
    assert not Track.objects.exists()


def test_erasing_deletes_imports_with_their_files(
    user: User, django_capture_on_commit_callbacks: Any
) -> None:
    job = jobs.start_import(user=user, file=File(io.BytesIO(b"x"), name="x.csv"))
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(user)
    assert not LibraryImport.objects.exists()
    assert not job.file.storage.exists(str(job.file.name))


def test_the_page_says_what_became_of_every_row(user: User, client: Client) -> None:
    report = {"stored": 1, "unknown": 1, "nameless": 2, "unreadable": 3, "beyond": 4}
    LibraryImport.objects.create(user=user, name="p.csv", state="done", report=report)
    client.force_login(user)
    page = " ".join(client.get(reverse("accounts:account")).content.decode().split())
    assert "1 track; 1 without a Spotify id isn’t in the catalogue; 2 have a link but no" in page
    assert "3 rows couldn’t be read; 4 more than a library holds." in page


def test_deleting_ones_music_stops_the_file_that_is_being_read(
    user: User, tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(user)
    rows = [saved(f"T{n}", make_spotify_id()) for n in range(4)]
    path = make_export(tmp_path, YourLibrary={"tracks": rows})
    monkeypatch.setattr(services, "AT_ONCE", 2)

    def store_and_delete(**part: Any) -> None:
        store_tracks(**part)
        client.post(reverse("recommender:delete_library"))

    monkeypatch.setattr(services, "store_tracks", store_and_delete)
    job = jobs.start_import(user=user, file=File(path.open("rb"), path.name))
    assert jobs.run_import(import_id=job.pk) is None
    assert titles(user) == set()
