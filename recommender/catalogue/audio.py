"""Render demo tracks to WAV and cache the files."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from recommender.catalogue.demo.recipe import Recipe
from recommender.catalogue.demo.render import RENDERER_VERSION, render, wav_bytes

# About 3 MB each; the oldest are deleted first.
MAX_CACHED_FILES = 100


def etag(recipe: dict[str, Any]) -> str:
    """A quoted ETag that changes whenever the audio would."""
    return f'"{_name(recipe)}"'


def wav(recipe: dict[str, Any]) -> bytes:
    """The track as a WAV file, from the cache or freshly rendered."""
    path = _folder() / f"{_name(recipe)}.wav"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        content = wav_bytes(render(Recipe.from_json(recipe)))
        _cache(path, content)
        return content


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "audio"


def _name(recipe: dict[str, Any]) -> str:
    described = json.dumps([RENDERER_VERSION, recipe], sort_keys=True)
    return hashlib.blake2b(described.encode(), digest_size=12).hexdigest()


def _cache(path: Path, content: bytes) -> None:
    """Write to a temporary file and rename it, so that no reader sees a partial file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)
    by_age = sorted(path.parent.glob("*.wav"), key=_made_at)
    for old in by_age[:-MAX_CACHED_FILES]:
        old.unlink(missing_ok=True)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process deleted it
        return 0.0
