"""Workers switch between two analyses, and keep what they have if they can't."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.services import record_improve_consent
from ml import networks
from ml.manifest import digest
from stories import services
from stories.models import Analysis, ModelVersion, ShadowDifference
from stories.registry.services import (
    promote_model,
    serving,
    shadow,
    start_shadow,
    take_back,
    use_serving_models,
)
from tests.factories import make_model_version, make_story, make_user
from tests.stories.conftest import FakeModels

pytestmark = pytest.mark.django_db


class FakeNetworks:
    """Notes what is loaded and served; `broken` files raise as Keras does."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.served: dict[str, Any] = {}
        self.broken = False

    def load(self, name: str, file: Path, entry: dict[str, Any]) -> Any:
        assert file.is_file()
        if self.broken:
            raise ValueError("its layers make no sense")
        self.loaded.append(entry["version"])
        return networks.Loaded(None, lambda: None, entry)

    def serve(self, name: str, loaded: Any) -> None:
        self.served[name] = loaded.entry["version"] if loaded else None


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNetworks:
    stands_in = FakeNetworks()
    monkeypatch.setattr(networks, "load", stands_in.load)
    monkeypatch.setattr(networks, "serve", stands_in.serve)
    return stands_in


def test_a_promoted_model_is_used_from_the_next_analysis_on_until_it_is_taken_back(
    tmp_path: Path, fake: FakeNetworks, models: FakeModels
) -> None:
    version = make_model_version(tmp_path)
    services.analyse_story(story_id=make_story().pk)
    assert fake.served == {}

    promote_model(version_id=version.pk)
    services.analyse_story(story_id=make_story().pk)
    assert fake.served == {"emotion": version.version}

    take_back(version_id=version.pk)
    services.analyse_story(story_id=make_story().pk)
    assert fake.served == {"emotion": None}
    assert Analysis.objects.count() == 3


def test_the_check_before_each_analysis_is_one_query(tmp_path: Path, fake: FakeNetworks) -> None:
    promote_model(version_id=make_model_version(tmp_path).pk)
    use_serving_models()
    with CaptureQueriesContext(connection) as queries:
        use_serving_models()
    assert len(queries) == 1
    assert len(fake.loaded) == 1


def test_a_second_model_takes_the_place_of_the_first(tmp_path: Path, fake: FakeNetworks) -> None:
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    for version in (first, second):
        promote_model(version_id=version.pk, reason="newer")
        use_serving_models()
        assert fake.served == {"emotion": version.version}


def test_the_file_is_fetched_once_and_checked_every_time_it_is_loaded(
    tmp_path: Path, fake: FakeNetworks
) -> None:
    version = make_model_version(tmp_path)
    promote_model(version_id=version.pk)
    copy = Path(site.VAR_DIR) / "models" / f"{version.sha256}.keras"
    assert copy.is_file()
    copy.write_bytes(copy.read_bytes()[:-9])

    use_serving_models()

    assert fake.served == {"emotion": version.version}
    assert copy.read_bytes() == Path(version.file.path).read_bytes()


def test_a_switch_digests_the_file_once(
    tmp_path: Path, fake: FakeNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote_model(version_id=make_model_version(tmp_path).pk)
    digested: list[Path] = []

    def counted(file: Path) -> str:
        digested.append(file)
        return digest(file)

    monkeypatch.setattr("ml.serving.files.digest", counted)
    use_serving_models()
    assert len(digested) == 1


@pytest.mark.parametrize("how", ["tampered", "missing", "broken"])
def test_if_it_cannot_be_loaded_the_model_before_stays_and_the_registry_says_why(
    tmp_path: Path, fake: FakeNetworks, models: FakeModels, caplog: Any, how: str
) -> None:
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    promote_model(version_id=first.pk)
    use_serving_models()
    promote_model(version_id=second.pk, reason="newer")
    (Path(site.VAR_DIR) / "models" / f"{second.sha256}.keras").unlink()
    stored = Path(second.file.path)
    if how == "tampered":
        stored.write_bytes(stored.read_bytes()[:-1] + b"X")
    elif how == "missing":
        stored.unlink()
    fake.broken = how == "broken"

    story = services.analyse_story(story_id=make_story().pk)

    assert story
    assert story.status == "ready"
    assert fake.served == {"emotion": first.version}
    second.refresh_from_db()
    why = {"tampered": "cut off or changed", "missing": "missing", "broken": "make no sense"}[how]
    assert why in second.problem
    assert second.problem_at is not None
    assert "the model before stays" in caplog.text


def test_a_model_that_could_not_be_loaded_is_tried_again_later(
    tmp_path: Path, fake: FakeNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_model_version(tmp_path)
    promote_model(version_id=version.pk)
    fake.broken = True
    use_serving_models()
    fake.broken = False
    use_serving_models()
    assert fake.served == {}

    monkeypatch.setattr(serving, "RETRY_SECONDS", 0.0)
    use_serving_models()

    assert fake.served == {"emotion": version.version}
    assert ModelVersion.objects.get().problem == ""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the serving model and the one in shadow mode say, in this order."""
    answers: list[str | None] = ["happy", "sad"]
    turn = count()
    stands_in = ModuleType("ml.serving.labels")
    stands_in.label_of = lambda name, photo: answers[next(turn) % 2]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ml.serving.labels", stands_in)
    return answers


@pytest.fixture
def in_shadow(tmp_path: Path, fake: FakeNetworks, settings: Any) -> ModelVersion:
    settings.STORIES_SHADOW_SHARE = 1.0
    return start_shadow(version_id=make_model_version(tmp_path).pk)


def analyse(**user: Any) -> None:
    story = make_story(make_user(**{"improve_consent": True, **user}))
    services.analyse_story(story_id=story.pk)


def test_a_model_in_shadow_mode_sees_photos_and_what_differs_is_stored(
    in_shadow: ModelVersion, fake: FakeNetworks, models: FakeModels, said: list[str | None]
) -> None:
    analyse()
    analyse()

    in_shadow.refresh_from_db()
    differences = ShadowDifference.objects.values_list("serving", "shadow")
    assert in_shadow.shadow_photos == 2
    assert list(differences) == [("happy", "sad")] * 2
    assert fake.served == {"emotion": None}  # only inside the comparison
    assert fake.loaded == [in_shadow.version]


def test_where_both_agree_only_the_photo_is_counted(
    in_shadow: ModelVersion, models: FakeModels, said: list[str | None]
) -> None:
    said[1] = "happy"
    analyse()
    in_shadow.refresh_from_db()
    assert (in_shadow.shadow_photos, ShadowDifference.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("user", "share"),
    [({"improve_consent": False}, 1.0), ({"faces_consent": False}, 1.0), ({}, 0.0)],
)
def test_without_consent_or_beyond_the_share_nothing_runs_in_shadow(
    in_shadow: ModelVersion,
    models: FakeModels,
    said: list[str | None],
    settings: Any,
    user: dict[str, Any],
    share: float,
) -> None:
    settings.STORIES_SHADOW_SHARE = share
    analyse(**user)
    in_shadow.refresh_from_db()
    assert in_shadow.shadow_photos == 0
    assert not ShadowDifference.objects.exists()


def test_a_failure_in_shadow_mode_leaves_the_story_ready(
    in_shadow: ModelVersion, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(shadow, "_run", fail)
    story = make_story(make_user(improve_consent=True))
    assert services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert story.status == "ready"


def test_withdrawing_removes_what_the_shadow_said(
    in_shadow: ModelVersion, models: FakeModels, said: list[str | None]
) -> None:
    analyse()
    person = ShadowDifference.objects.get().story.user
    record_improve_consent(user=person, agreed=False)
    assert not ShadowDifference.objects.exists()
