"""Reviews as data to train on: agreed labels of people who agree, split by person, verified."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from accounts.models import User
from stories.models import Reason, ReviewItem, Story
from stories.review.export import ExportError, dataset, export_reviews, verify_export
from stories.review.export.dataset import split_of
from stories.review.export.images import photo_bytes
from stories.review.services import add_gold, undo_review
from tests.factories import (
    make_ready_story,
    make_review,
    make_review_item,
    make_user,
)

pytestmark = pytest.mark.django_db


def rows(folder: Path, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"{kind}.parquet").to_pylist()
    return found


def sharer(split: str = "") -> User:
    """Somebody who agreed, whose photos are in this split."""
    while True:
        user = make_user(improve_consent=True)
        if split in ("", split_of(user.pk)):
            return user


def second_opinion(review: Any, answers: dict[str, Any]) -> None:
    item = ReviewItem.objects.create(
        story=review.story,
        reason=Reason.SECOND_OPINION,
        first=review,
        versions=review.versions,
        versions_digest="x",
    )
    make_review(item, answers=answers)


def test_faces_photos_and_captions_are_written_with_their_labels(tmp_path: Path) -> None:
    story = make_ready_story(sharer("test"), caption="What a day")
    answers = {"faces": {"0": "sad"}, "action": "running", "caption": "negative"}
    make_review(make_review_item(story), answers=answers)

    manifest = export_reviews(out=tmp_path / "out")

    (face,), (photo,), (caption,) = (
        rows(tmp_path / "out", kind) for kind in ("emotion", "action", "caption")
    )
    about = {"split": "test", "person": 0, "audit": True}
    assert face | {"image": b""} == {"image": b"", "label": "sad"} | about
    assert photo | {"image": b""} == {"image": b"", "label": "running"} | about
    assert caption == {"text": "What a day", "label": "negative", "valence": -1} | about
    assert max(Image.open(io.BytesIO(face["image"])).size) == 96
    assert Image.open(io.BytesIO(photo["image"])).size == (64, 48)
    assert (manifest["reviews"], manifest["people"], manifest["left_out"]) == (1, 1, {})
    assert manifest["files"]["emotion.parquet"]["splits"] == {"train": 0, "val": 0, "test": 1}
    assert verify_export(tmp_path / "out") == manifest
    assert str(story.user.email) not in json.dumps(manifest)


def test_only_completed_reviews_of_people_who_agree_now_are_written(tmp_path: Path) -> None:
    withdrawn, undone = make_review(), make_review()
    assert undone.reviewer
    undo_review(reviewer=undone.reviewer)
    User.objects.filter(pk=withdrawn.story.user_id).update(improve_consent=False)

    manifest = export_reviews(out=tmp_path / "out")

    assert (manifest["reviews"], manifest["people"]) == (0, 0)
    assert rows(tmp_path / "out", "action") == []


def test_somebody_who_withdraws_while_it_is_written_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = make_review(), make_review(answers={"action": "dancing"})
    write = photo_bytes

    def withdraw(photo: Image.Image) -> bytes:
        User.objects.filter(pk=gone.story.user_id).update(improve_consent=False)
        return write(photo)

    monkeypatch.setattr(dataset, "photo_bytes", withdraw)

    export_reviews(out=tmp_path / "out")

    assert [row["label"] for row in rows(tmp_path / "out", "action")] == ["running"]
    assert kept.story.user.improve_consent
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_face_is_not_written_without_consent_to_read_faces(tmp_path: Path) -> None:
    review = make_review()
    User.objects.filter(pk=review.story.user_id).update(faces_consent=False)

    manifest = export_reviews(out=tmp_path / "out")

    assert rows(tmp_path / "out", "emotion") == []
    assert manifest["left_out"] == {"no_photo": 1}


def test_reviewers_who_disagree_leave_the_label_out(tmp_path: Path) -> None:
    review = make_review(answers={"faces": {"0": "happy"}, "action": "running"})
    second_opinion(review, {"faces": {"0": "happy"}, "action": "dancing"})

    manifest = export_reviews(out=tmp_path / "out")

    assert [row["label"] for row in rows(tmp_path / "out", "emotion")] == ["happy"]
    assert rows(tmp_path / "out", "action") == []
    assert manifest["left_out"] == {"disagreement": 1}


def test_not_being_able_to_tell_is_no_opinion(tmp_path: Path) -> None:
    review = make_review(answers={"action": "running"})
    second_opinion(review, {"action": "cannot_tell"})

    export_reviews(out=tmp_path / "out")

    assert [row["label"] for row in rows(tmp_path / "out", "action")] == ["running"]


def test_the_known_answer_of_gold_decides(tmp_path: Path) -> None:
    story = make_ready_story(sharer())
    item = add_gold(story=story, expected={"action": "running"})
    make_review(item, answers={"action": "dancing"})

    export_reviews(out=tmp_path / "out")

    (row,) = rows(tmp_path / "out", "action")
    assert (row["label"], row["audit"]) == ("running", False)


def test_what_is_no_class_is_counted_and_left_out(tmp_path: Path) -> None:
    make_review(answers={"faces": {"0": "wrong_box"}, "action": "none"})

    manifest = export_reviews(out=tmp_path / "out")

    assert rows(tmp_path / "out", "emotion") == []
    assert [row["label"] for row in rows(tmp_path / "out", "action")] == ["none"]
    assert manifest["left_out"] == {"no_class": 1}


def test_everything_of_one_person_is_on_one_side_in_every_export(tmp_path: Path) -> None:
    people = [sharer("train"), sharer("val"), sharer("test")]
    for user in people * 2:
        make_review(make_review_item(make_ready_story(user)))

    for out in ("first", "second"):
        export_reviews(out=tmp_path / out)
        found = rows(tmp_path / out, "action")
        assert sorted(row["split"] for row in found) == ["test"] * 2 + ["train"] * 2 + ["val"] * 2
        assert len({(row["person"], row["split"]) for row in found}) == 3


def test_people_are_spread_over_the_splits_by_their_shares() -> None:
    splits = [split_of(number) for number in range(4000)]
    assert splits.count("train") / 4000 == pytest.approx(0.7, abs=0.03)
    assert splits.count("val") / 4000 == pytest.approx(0.15, abs=0.02)


def test_a_photo_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    review = make_review()
    review.story.photo.file.delete(save=False)

    manifest = export_reviews(out=tmp_path / "out")

    assert manifest["left_out"] == {"no_photo": 2}


def test_an_export_is_never_written_over_something(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="there already"):
        export_reviews(out=tmp_path)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    make_review()
    export_reviews(out=tmp_path / "out")
    return tmp_path / "out"


def test_verify_notices_a_file_that_was_cut_off_changed_or_removed(export: Path) -> None:
    file = export / "action.parquet"
    whole = file.read_bytes()
    for other in (whole[:-9], whole[:9] + b"X" + whole[10:]):
        file.write_bytes(other)
        with pytest.raises(ExportError, match=r"action\.parquet was cut off or changed"):
            verify_export(export)
    file.unlink()
    with pytest.raises(ExportError, match=r"action\.parquet is missing"):
        verify_export(export)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"reviews": 7}, "was changed"),
        ({"format": 99}, "has format 99"),
        ({"files": None}, "was changed"),
    ],
)
def test_verify_notices_a_manifest_that_was_changed(
    export: Path, change: dict[str, Any], why: str
) -> None:
    manifest = export / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(ExportError, match=why):
        verify_export(export)


def test_verify_notices_one_person_on_two_sides(export: Path) -> None:
    from stories.review.export.files import schema_of, write_manifest

    (row,) = rows(export, "action")
    both = [row | {"split": "train"}, row | {"split": "test"}]
    pq.write_table(
        pa.Table.from_pylist(both, schema=schema_of("action")), export / "action.parquet"
    )
    counts: dict[str, dict[str, int]] = {kind: {} for kind in ("emotion", "caption")} | {
        "action": {"train": 1, "test": 1}
    }
    counts["emotion"] = {rows(export, "emotion")[0]["split"]: 1}
    write_manifest(export, counts, {"reviews": 1})
    with pytest.raises(ExportError, match="one person on two sides"):
        verify_export(export)


def test_verify_notices_one_person_on_two_sides_of_two_files(export: Path) -> None:
    from stories.review.export.files import schema_of, write_manifest

    (row,) = rows(export, "action")
    other = {"train": "test"}.get(row["split"], "train")
    pq.write_table(
        pa.Table.from_pylist([row | {"split": other}], schema=schema_of("action")),
        export / "action.parquet",
    )
    counts = {"emotion": {row["split"]: 1}, "action": {other: 1}, "caption": {}}
    write_manifest(export, counts, {"reviews": 1})
    with pytest.raises(ExportError, match="one person on two sides"):
        verify_export(export)


def test_what_is_no_export_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no export"):
        verify_export(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ExportError, match="holds no export"):
        verify_export(tmp_path)


def test_the_command_writes_and_verifies(tmp_path: Path) -> None:
    make_review()
    told = io.StringIO()
    call_command("export_reviews", str(tmp_path / "out"), stdout=told)
    call_command("export_reviews", "--verify", "--json", str(tmp_path / "out"), stdout=told)
    assert "action.parquet: 1 rows" in told.getvalue()
    (tmp_path / "out" / "emotion.parquet").write_bytes(b"")
    with pytest.raises(CommandError, match="cut off or changed"):
        call_command("export_reviews", "--verify", str(tmp_path / "out"))
    assert Story.objects.count() == 1
