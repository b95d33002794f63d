"""Only whole, unchanged files of models that this code runs are loaded."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import digest
from ml.serving.files import ABOUT, FORMATS, UnusableModel, check, describe


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}" * 500)
    describe("emotion", path)
    return path


def test_a_described_file_is_accepted_as_it_is(file: Path) -> None:
    check("emotion", file, digest(file))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="missing"):
        check("emotion", tmp_path / "away.keras", "0" * 64)


def test_a_file_that_was_cut_off_or_changed_is_refused(file: Path) -> None:
    whole, sha256 = file.read_bytes(), digest(file)
    for other in (whole[:-20], whole[:60] + b"X" + whole[61:], b""):
        file.write_bytes(other)
        with pytest.raises(UnusableModel, match="cut off or changed"):
            check("emotion", file, sha256)


def test_a_damaged_archive_is_refused_even_if_its_checksum_was_registered(file: Path) -> None:
    whole = file.read_bytes()
    packed = whole.index(ABOUT.encode()) + len(ABOUT)
    damaged = whole[:packed] + b"\xff" * 8 + whole[packed + 8 :]
    for other in (whole[:-20], whole[:60] + b"X" + whole[61:], damaged, b"no archive"):
        file.write_bytes(other)
        with pytest.raises(UnusableModel, match="Train the model again"):
            check("emotion", file, digest(file))


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"name": "action", "format_version": 1, "classes": ACTIONS}, "holds the model “action”"),
        (
            {"name": "emotion", "format_version": FORMATS["emotion"] + 1, "classes": EMOTIONS},
            "format version 2; this Storify runs version 1",
        ),
        ({"name": "emotion", "classes": EMOTIONS}, "format version None"),
        ({"name": "emotion", "format_version": 1, "classes": EMOTIONS[:-1]}, "other classes"),
        ({"name": "emotion", "format_version": 1, "classes": EMOTIONS[::-1]}, "other classes"),
        ({"name": "emotion", "format_version": 1, "classes": None}, "other classes"),
        (1, "is no model file"),
    ],
)
def test_a_file_for_other_code_is_refused(tmp_path: Path, about: object, why: str) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ABOUT, json.dumps(about))
    with pytest.raises(UnusableModel, match=why):
        check("emotion", path, digest(path))


def test_a_model_that_cannot_be_replaced_is_refused(file: Path) -> None:
    with pytest.raises(UnusableModel, match="can't be replaced, only emotion, action"):
        check("caption", file, digest(file))
