"""Which models may serve, and what is kept about it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.services import delete_account
from ml.manifest import manifest
from stories.models import ModelEvent, ModelVersion
from stories.personal_data import export_stories
from stories.registry.errors import (
    MayBeWorseError,
    ModelRefusedError,
    NotPromotableError,
)
from stories.registry.selectors import objections, serving_name, serving_version
from stories.registry.services import (
    promote_model,
    register_candidate,
    start_shadow,
    stop_shadow,
    take_back,
)
from tests.factories import make_model_folder, make_model_version, make_pair, make_user

pytestmark = pytest.mark.django_db

SHIPPED = manifest()["models"]["emotion"]["version"]


def actions() -> list[str]:
    return list(ModelEvent.objects.order_by("created_at").values_list("action", flat=True))


def test_a_registered_model_is_a_candidate_with_its_file_and_card(tmp_path: Path) -> None:
    user = make_user()
    folder = make_model_folder(tmp_path)

    version = register_candidate(folder=folder, actor=user)

    assert (version.status, version.created_by, version.card) == ("candidate", user, "# A card")
    with version.file.open("rb") as stored:
        assert stored.read() == (folder / "model.keras").read_bytes()
    assert version.file.name == f"models/emotion/{version.pk}.keras"
    assert actions() == ["registered"]


@pytest.mark.parametrize(
    ("about", "why"),
    [({"format_version": 9}, "format version 9"), ({"classes": ["joy"]}, "other classes")],
)
def test_a_file_for_other_code_is_refused_with_the_reason(
    tmp_path: Path, about: dict[str, Any], why: str
) -> None:
    with pytest.raises(ModelRefusedError, match=why):
        make_model_version(tmp_path, about=about)

    refused = ModelVersion.objects.get()
    assert (refused.status, bool(refused.file)) == ("refused", False)
    assert why in refused.problem
    assert actions() == ["refused"]
    with pytest.raises(NotPromotableError, match="is refused"):
        promote_model(version_id=refused.pk, reason="because")


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    folder = make_model_folder(tmp_path)
    whole = (folder / "model.keras").read_bytes()
    (folder / "model.keras").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(ModelRefusedError, match="cut off or changed"):
        register_candidate(folder=folder)


def test_a_stored_file_that_was_tampered_with_is_neither_promoted_nor_run(tmp_path: Path) -> None:
    version = make_model_version(tmp_path)
    Path(version.file.path).write_bytes(b"something else")

    for service in (promote_model, start_shadow):
        with pytest.raises(ModelRefusedError, match="cut off or changed"):
            service(version_id=version.pk)

    version.refresh_from_db()
    assert version.status == "candidate"


def test_a_model_that_is_not_worse_is_promoted_without_a_reason(tmp_path: Path) -> None:
    user, version = make_user(), make_model_version(tmp_path)
    assert serving_name("emotion") == SHIPPED

    promote_model(version_id=version.pk, actor=user)

    version.refresh_from_db()
    assert serving_version("emotion") == version
    assert (version.promoted_by, version.override_reason, version.replaced) == (user, "", None)
    assert version.promoted_at is not None
    assert actions() == ["registered", "promoted"]


@pytest.mark.parametrize(
    ("comparison", "why"),
    [
        ({"public": make_pair(-0.021), "audit": make_pair()}, "frozen public test set"),
        ({"public": make_pair(), "audit": make_pair(-0.3)}, "may be worse by 30.0"),
        ({"public": None, "audit": make_pair()}, "wasn't compared on the frozen public"),
        ({"public": make_pair()}, "wasn't compared on the reviewed audit photos"),
    ],
)
def test_a_model_that_may_be_worse_needs_a_reason_which_is_kept(
    tmp_path: Path, comparison: dict[str, Any], why: str
) -> None:
    version = make_model_version(tmp_path, comparison=comparison)
    for reason in ("", "   "):
        with pytest.raises(MayBeWorseError, match=why):
            promote_model(version_id=version.pk, reason=reason)
    assert serving_version("emotion") is None

    promote_model(version_id=version.pk, reason=" Fewer photos of strangers. ")

    assert ModelVersion.objects.get().override_reason == "Fewer photos of strangers."
    assert ModelEvent.objects.get(action="promoted").reason == "Fewer photos of strangers."


def test_the_margin_is_a_setting(tmp_path: Path, settings: Any) -> None:
    version = make_model_version(
        tmp_path, comparison={k: make_pair(-0.015) for k in ("public", "audit")}
    )
    assert objections(version) == []
    settings.STORIES_PROMOTION_MARGIN = 0.015
    assert len(objections(version)) == 2


def test_a_comparison_with_what_no_longer_serves_needs_a_reason(tmp_path: Path) -> None:
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    promote_model(version_id=first.pk)

    with pytest.raises(MayBeWorseError, match=f"compared with {SHIPPED}, but"):
        promote_model(version_id=second.pk)


def test_taking_back_returns_step_by_step_to_the_shipped_model(tmp_path: Path) -> None:
    user = make_user()
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    promote_model(version_id=first.pk)
    promote_model(version_id=second.pk, reason="newer")
    first.refresh_from_db()
    assert first.status == "retired"

    assert take_back(version_id=second.pk, actor=user) == first
    assert serving_version("emotion") == first
    assert take_back(version_id=first.pk, actor=user) is None
    assert serving_name("emotion") == SHIPPED

    assert actions()[-2:] == ["taken_back", "taken_back"]
    assert ModelEvent.objects.first().actor == user  # type: ignore[union-attr]


def test_taking_back_twice_takes_back_one(tmp_path: Path) -> None:
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    promote_model(version_id=first.pk)
    promote_model(version_id=second.pk, reason="newer")
    take_back(version_id=second.pk)
    with pytest.raises(NotPromotableError, match="is retired"):
        take_back(version_id=second.pk)
    assert serving_version("emotion") == first


def test_one_name_s_models_leave_the_other_s_alone(tmp_path: Path) -> None:
    emotion = make_model_version(tmp_path / "a")
    action = make_model_version(tmp_path / "b", name="action")
    promote_model(version_id=emotion.pk)
    promote_model(version_id=action.pk)
    take_back(version_id=action.pk)
    assert serving_version("emotion") == emotion
    assert serving_version("action") is None


def test_only_one_model_of_a_name_is_in_shadow_mode(tmp_path: Path) -> None:
    first, second = (make_model_version(tmp_path / name) for name in ("a", "b"))
    start_shadow(version_id=first.pk)
    start_shadow(version_id=second.pk)
    first.refresh_from_db()
    assert first.status == "candidate"
    stop_shadow(version_id=second.pk)
    with pytest.raises(NotPromotableError):
        stop_shadow(version_id=second.pk)
    assert not ModelVersion.objects.filter(status="shadow").exists()


@pytest.mark.parametrize("status", ["serving", "shadow"])
def test_the_database_itself_refuses_two(tmp_path: Path, status: str) -> None:
    versions = [make_model_version(tmp_path / name) for name in ("a", "b")]
    ModelVersion.objects.filter(pk=versions[0].pk).update(status=status)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=versions[1].pk).update(status=status)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stories_modelevent SET reason = 'another'",
        "UPDATE stories_modelevent SET actor_id = NULL",
        "DELETE FROM stories_modelevent",
    ],
)
def test_the_log_is_append_only(tmp_path: Path, statement: str) -> None:
    register_candidate(folder=make_model_folder(tmp_path), actor=make_user())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_log_forgets_who_it_was_with_their_account(tmp_path: Path) -> None:
    user = make_user()
    register_candidate(folder=make_model_folder(tmp_path), actor=user)

    delete_account(user=user)

    assert ModelEvent.objects.get().actor_id is None
    assert ModelVersion.objects.get().created_by is None


def test_the_export_of_a_person_tells_what_they_did_with_models(tmp_path: Path) -> None:
    user = make_user()
    make_model_version(tmp_path / "a")
    register_candidate(folder=make_model_folder(tmp_path / "b"), actor=user)

    (told,) = json.loads(dict(export_stories(user))["model_events.json"])  # type: ignore[arg-type]

    assert (told["name"], told["action"]) == ("emotion", "registered")


def test_the_command_promotes_and_takes_back(tmp_path: Path) -> None:
    version, told = make_model_version(tmp_path), StringIO()
    call_command("models", "shadow", "emotion", version.version, stdout=told)
    call_command("models", "promote", "emotion", version.version, stdout=told)
    assert told.getvalue().splitlines()[-1] == f"serving: {version.version}"
    call_command("models", "take-back", "emotion", version.version, "--json", stdout=told)
    assert SHIPPED in told.getvalue().splitlines()[-1]
    with pytest.raises(CommandError, match="is retired"):
        call_command("models", "take-back", "emotion", version.version)
    with pytest.raises(CommandError, match="There is no emotion model 9"):
        call_command("models", "promote", "emotion", "9")
