"""Model files outside the shipped ones: what they say about themselves, and whether to load them.

A model file is a Keras archive with one more member, ABOUT, so that a file that is loaded on
another machine says for which code it was made.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import digest

ABOUT = "storify.json"

FORMATS: Mapping[str, int] = {"emotion": 1, "action": 1}
"""Format version by model: it rises whenever the inputs or outputs of the network change."""

CLASSES: Mapping[str, tuple[str, ...]] = {"emotion": EMOTIONS, "action": ACTIONS}

UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError),
    *(KeyError, RuntimeError, TypeError, ValueError),
)
"""What a file raises that is damaged, encrypted or packed in another way, or describes nothing."""


class UnusableModel(ValueError):
    """The file may not be loaded; the message says why."""


class ChangedFile(UnusableModel):
    """The file is missing, or isn't the one that was registered."""


def describe(name: str, file: Path) -> None:
    """Add to a saved network what it is for."""
    about = {"name": name, "format_version": FORMATS[name], "classes": list(CLASSES[name])}
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, json.dumps(about))


def check(name: str, file: Path, sha256: str) -> None:
    """Raise UnusableModel unless this is the unchanged file of a model that this code runs.

    ChangedFile if an unchanged copy could be used instead.
    """
    if name not in FORMATS:
        raise UnusableModel(f"Models named “{name}” can't be replaced, only {', '.join(FORMATS)}.")
    if not file.is_file():
        raise ChangedFile("The model file is missing. Train the model again.")
    if digest(file) != sha256:
        raise ChangedFile(
            "The model file isn't the one that was registered: it was cut off or changed. "
            "Restore it, or train the model again."
        )
    _check_about(name, _about(file))


def _about(file: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            if broken := archive.testzip():
                raise UnusableModel(
                    f"The model file is damaged in {broken}. Train the model again."
                )
            return dict(json.loads(archive.read(ABOUT)))
    except UNREADABLE as error:
        if isinstance(error, UnusableModel):
            raise
        raise UnusableModel(
            "The file is no model file: it was cut off, or another program wrote it. "
            "Train the model again."
        ) from error


def _check_about(name: str, about: dict[str, Any]) -> None:
    if about.get("name") != name:
        raise UnusableModel(f"The file holds the model “{about.get('name')}”, not “{name}”.")
    if about.get("format_version") != FORMATS[name]:
        raise UnusableModel(
            f"The file has format version {about.get('format_version')}; this Storify runs "
            f"version {FORMATS[name]}. Train the model again with it."
        )
    if about.get("classes") != list(CLASSES[name]):
        raise UnusableModel(
            f"The model tells other classes apart than this Storify does for “{name}”. "
            "Train the model again."
        )
