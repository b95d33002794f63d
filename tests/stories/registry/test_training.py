"""From corrections to a model in service and back, with a tiny network and a real process."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from redis.exceptions import RedisError

from accounts.models import User
from ml.manifest import manifest, versions
from stories import tasks
from stories.models import Analysis, ModelEvent, ModelVersion
from stories.registry.errors import TrainingFailedError
from stories.registry.selectors import TRAINING, objections, training_run
from stories.registry.services import (
    cancel_training,
    promote_model,
    queue_training,
    runs,
    take_back,
    train_candidate,
    training,
    use_serving_models,
)
from stories.review.export import ExportError, dataset, export_reviews
from stories.review.export.dataset import split_of
from tests.factories import make_ready_story, make_review, make_review_item, make_user
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db

NOW = "2026-11-29T00:37:45+00:00"
SHIPPED = manifest()["models"]["emotion"]["version"]


def sharer(split: str) -> User:
    while True:
        user = make_user(improve_consent=True)
        if split_of(user.pk) == split:
            return user


def reviews(**answers: str) -> None:
    for split in ("train", "val", "test"):
        person = sharer(split)
        for answer in ("sad", "angry"):
            item = make_review_item(make_ready_story(person))
            make_review(item, answers={"faces": {"0": answer}, **answers})


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny network is what candidates start from."""
    from ml.training.emotion.model import plain

    file = tmp_path / "tiny.keras"
    plain(widths=(4, 4)).save(file)
    monkeypatch.setattr(training, "_serving", lambda name: (file, manifest()["models"][name]))
    return file


def test_from_reviews_to_a_model_in_service_and_back(
    tiny: Path, tmp_path: Path, settings: Any
) -> None:
    settings.STORIFY_DATA = ""
    reviews()
    user = make_user()

    tasks.train_candidate.run("emotion", user.pk, NOW)

    version = ModelVersion.objects.get()
    assert (version.status, version.created_by) == ("candidate", user)
    assert version.version.startswith(f"{SHIPPED}+")
    assert version.comparison["public"] is None
    assert version.comparison["audit"]["n"] == 2
    assert len(objections(version)) == 2
    assert "2 reviewed rows" in version.card

    promote_model(version_id=version.pk, actor=user, reason="The test says so")
    use_serving_models()
    assert ModelVersion.objects.get().problem == ""
    assert versions()["emotion"] == version.version

    take_back(version_id=version.pk)
    use_serving_models()
    assert versions()["emotion"] == SHIPPED
    # Earlier stories keep the versions that they were tagged with.
    assert {one["emotion"] for one in Analysis.objects.values_list("versions", flat=True)} == {
        "test"
    }


def test_nothing_reviewed_is_nothing_to_train_on_and_the_log_says_so() -> None:
    tasks.train_candidate.run("emotion", make_user().pk, NOW)

    event = ModelEvent.objects.get()
    assert event.action == "failed"
    assert "Review more photos" in event.reason
    assert not ModelVersion.objects.exists()


def test_an_error_that_nobody_foresaw_is_in_the_log_of_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full_disk(**_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "export_reviews", full_disk)

    with pytest.raises(OSError, match="No space"):
        tasks.train_candidate.run("emotion", make_user().pk, NOW)

    event = ModelEvent.objects.get()
    assert (event.action, event.reason) == ("failed", training.BROKEN)


def test_a_changed_export_is_not_trained_on(tmp_path: Path) -> None:
    export_reviews(out=tmp_path / "out")
    (tmp_path / "out" / "emotion.parquet").write_bytes(b"")
    with pytest.raises(ExportError, match="cut off or changed"):
        train_candidate(name="emotion", export=tmp_path / "out")


def test_a_process_that_dies_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews()
    export_reviews(out=tmp_path / "out")
    dying = ["/bin/sh", "-c", "echo no memory >&2; exit 137"]
    monkeypatch.setattr(training, "_command", lambda *_: dying)
    with pytest.raises(TrainingFailedError, match="ended with an error: no memory"):
        train_candidate(name="emotion", export=tmp_path / "out")


def test_what_the_process_says_is_passed_on_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews()
    export_reviews(out=tmp_path / "out")
    talking = ["/bin/sh", "-c", "echo 1 of 2 >&2; echo 2 of 2 >&2; echo too few >&2; exit 2"]
    monkeypatch.setattr(training, "_command", lambda *_: talking)
    heard: list[str] = []
    with pytest.raises(TrainingFailedError, match=r"^too few$"):
        train_candidate(name="emotion", export=tmp_path / "out", on_progress=heard.append)
    assert heard == ["1 of 2", "2 of 2", "too few"]


def test_a_process_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews()
    export_reviews(out=tmp_path / "out")
    monkeypatch.setattr(training, "_command", lambda *_: ["/bin/sleep", "60"])
    monkeypatch.setattr(training, "HOURS", 0.0)
    with pytest.raises(TrainingFailedError, match="was ended"):
        train_candidate(name="emotion", export=tmp_path / "out")


def test_a_running_training_says_how_far_it_is_and_leaves_nothing_once_it_ends(
    monkeypatch: pytest.MonkeyPatch, settings: Any, broker: FakeQueue
) -> None:
    reviews()
    queue_training(name="emotion", actor=make_user())
    with pytest.raises(TrainingFailedError, match="being trained already"):
        queue_training(name="emotion", actor=make_user())
    assert training_run("emotion").progress == ""  # type: ignore[union-attr]
    talking = "echo W000 noise >&2; echo '2026-11-29 00:37:45,602 epoch 1: loss 0.6' >&2; exit 1"
    monkeypatch.setattr(training, "_command", lambda *_: ["/bin/sh", "-c", talking])
    seen: list[Any] = []
    noted = runs.note_progress

    def note(name: str, since: datetime, line: str = "") -> None:
        noted(name, since, line)
        seen.append(training_run(name).progress)  # type: ignore[union-attr]

    monkeypatch.setattr(runs, "note_progress", note)
    tasks.train_candidate.run(*broker.trainings[0])

    assert seen[0] == "starting"
    assert "epoch 1: loss 0.6" in seen
    assert training_run("emotion") is None
    assert not (Path(settings.VAR_DIR) / "training-export").exists()


def test_a_cancelled_training_ends_and_the_log_says_who_cancelled_it(
    monkeypatch: pytest.MonkeyPatch, broker: FakeQueue
) -> None:
    reviews()
    user = make_user()
    queue_training(name="emotion", actor=user)

    def command(*_: object) -> list[str]:
        cancel_training(name="emotion", actor=user)
        return ["/bin/sleep", "60"]

    monkeypatch.setattr(training, "_command", command)
    tasks.train_candidate.run(*broker.trainings[0])

    event = ModelEvent.objects.filter(action="failed").get()
    assert event.reason == f"Cancelled by {user}."
    assert not ModelVersion.objects.exists()
    with pytest.raises(TrainingFailedError, match="No training of this model"):
        cancel_training(name="emotion", actor=user)
    queue_training(name="emotion", actor=user)


def test_a_training_that_is_cancelled_while_it_waits_makes_room_for_another(
    monkeypatch: pytest.MonkeyPatch, broker: FakeQueue
) -> None:
    reviews()
    user = make_user()
    queue_training(name="emotion", actor=user)
    cancel_training(name="emotion", actor=user)
    queue_training(name="emotion", actor=user)
    monkeypatch.setattr(training, "_command", lambda *_: ["/bin/sh", "-c", "exit 1"])

    tasks.train_candidate.run(*broker.trainings[0])
    event = ModelEvent.objects.filter(action="failed").get()
    assert event.reason == f"Cancelled by {user}."
    assert training_run("emotion").progress == ""  # type: ignore[union-attr]

    tasks.train_candidate.run(*broker.trainings[1])
    assert "ended with an error" in ModelEvent.objects.filter(action="failed")[0].reason
    assert training_run("emotion") is None


def test_a_training_is_alive_and_can_be_cancelled_during_the_export(
    monkeypatch: pytest.MonkeyPatch, broker: FakeQueue
) -> None:
    reviews()
    user = make_user()
    queue_training(name="emotion", actor=user)
    shown: list[bool] = []

    def expire(*_: object) -> None:
        shown.append(training_run("emotion") is not None)
        cache.delete(TRAINING.format("emotion"))
        if len(shown) == 2:
            runs.note_progress("emotion", datetime.fromisoformat(broker.trainings[0][2]))
            cancel_training(name="emotion", actor=user)

    monkeypatch.setattr(dataset, "_add", expire)
    tasks.train_candidate.run(*broker.trainings[0])

    assert shown == [True, True]
    assert ModelEvent.objects.filter(action="failed").get().reason == f"Cancelled by {user}."


def test_training_goes_on_while_the_cache_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RedisError

    for name in ("get", "set", "delete"):
        monkeypatch.setattr(cache, name, away)
    now = datetime.fromisoformat(NOW)
    runs.note_progress("emotion", now)
    runs.end_run("emotion", now)
    assert runs.cancelled_by("emotion", now) == ""


def test_the_process_ends_with_the_one_that_started_it() -> None:
    code = (
        "import sys, threading, time; from ml.training.candidate.__main__ import _end_with\n"
        "threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()\n"
        "time.sleep(60)"
    )
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    ended = subprocess.run(
        [sys.executable, "-c", code, str(gone.pid)],
        cwd=Path(__file__).parents[3],
        timeout=50,
        check=False,
    )
    assert ended.returncode == 1


def test_captions_are_not_trained_from_reviews(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Choose one of: emotion, action"):
        call_command("train_candidate", "--name", "caption", "--export", str(tmp_path))


def test_the_command_passes_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews(action="running")
    export_reviews(out=tmp_path / "out")
    run: list[list[str]] = []

    def note(command: list[str], *_: object) -> None:
        run.append(command)
        raise TrainingFailedError("stopped")

    monkeypatch.setattr(training, "_run", note)
    with pytest.raises(CommandError, match="stopped"):
        call_command(
            "train_candidate", "--name", "action", "--export", str(tmp_path / "out"),
            "--data", "/data", "--epochs", "2", stdout=io.StringIO(),
        )  # fmt: skip

    (command,) = run
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert (options["--data"], options["--epochs"], options["--name"]) == ("/data", "2", "action")
    assert options["--serving"].endswith("ml/models/action.keras")
