"""Model files: a checked copy on this machine of what is in the storage."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from ml.serving.files import ChangedFile, UnusableModel, check
from stories.models import ModelVersion


def local_file(version: ModelVersion) -> Path:
    """Return the version's file in `VAR_DIR/models`, downloaded if need be, and checked.

    Raises UnusableModel, with the reason for people, or OSError if the storage doesn't answer.
    """
    file = Path(settings.VAR_DIR) / "models" / f"{version.sha256}.keras"
    try:
        check(version.name, file, version.sha256)
    except ChangedFile:
        _download(version, file)
    return file


def _download(version: ModelVersion, file: Path) -> None:
    """Copy the file from the storage and check it before it's put in place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{uuid4().hex}.part")
    try:
        with version.file.open("rb") as stored, beside.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        check(version.name, beside, version.sha256)
        beside.replace(file)
    except FileNotFoundError as error:
        raise UnusableModel("The model file is missing from the storage. Restore it.") from error
    finally:
        beside.unlink(missing_ok=True)
