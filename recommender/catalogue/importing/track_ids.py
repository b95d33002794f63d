"""Spotify track ids and ISRCs, as people and programs write them."""

from __future__ import annotations

import re
from typing import Any

_ID = r"([0-9A-Za-z]{22})"
_LINK = r"(?:https?://)?open\.spotify\.com/(?:intl-[a-z-]{2,10}/)?(?:embed/)?track/"
_WRITTEN = re.compile(
    rf"{_ID}|(?:spotify:track:|{_LINK}){_ID}/?(?:[?#]\S*)?", re.ASCII | re.IGNORECASE
)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", re.ASCII)


def track_id(value: Any) -> str | None:
    """The id in a bare id, a spotify:track: URI or an open.spotify.com link; None otherwise."""
    match = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    return (match.group(1) or match.group(2)) if match else None


def isrc(value: Any) -> str:
    """The International Standard Recording Code in a text, without hyphens; "" otherwise."""
    code = value.strip().upper().replace("-", "") if isinstance(value, str) else ""
    return code if _ISRC.fullmatch(code) else ""
