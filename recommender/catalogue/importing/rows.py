"""Parses and validates one row of a catalogue file."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from recommender.catalogue.importing.columns import COLUMNS
from recommender.catalogue.importing.layouts import Layout
from recommender.catalogue.languages import parse_language
from recommender.engine.tracks.derived import derived_columns

UNIT = (0.0, 1.0)
RANGES: dict[str, tuple[float, float]] = {
    "danceability": UNIT,
    "energy": UNIT,
    "speechiness": UNIT,
    "acousticness": UNIT,
    "instrumentalness": UNIT,
    "liveness": UNIT,
    "valence": UNIT,
    "loudness": (-80.0, 20.0),
    "tempo": (0.0, 400.0),
    "key": (-1.0, 11.0),
    "mode": (0.0, 1.0),
    "time_signature": (0.0, 20.0),
    "popularity": (0.0, 100.0),
    "duration_ms": (1.0, 86_400_000.0),
}
WHOLE = ("key", "mode", "time_signature", "popularity", "duration_ms")
# Sentinel values that mean "unknown".
UNKNOWN = {"key": -1, "tempo": 0, "time_signature": 0}
_ABSENT = {"", "na", "nan", "none", "null"}
_YES, _NO = ("true", "yes", "1", "1.0", "t"), ("false", "no", "0", "0.0", "f")
_TRUTH = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?:\.0)?$")
_MAX_ID_LENGTH = 100


class BadRowError(ValueError):
    """The row can't become a track; the message says why."""


def track_values(cells: Sequence[Any], layout: Layout) -> tuple[Any, ...]:
    """The values of a track in the order of COLUMNS; raises BadRowError if one is invalid."""
    if len(cells) != layout.width:
        raise BadRowError(f"has {len(cells)} values where the header names {layout.width}")
    given = {field: cells[position] for field, position in layout.positions.items()}
    track: dict[str, Any] = {"source_id": _source_id(given), **_numbers(given, layout.needed)}
    if "explicit" in given:
        track["explicit"] = _boolean("explicit", given["explicit"])
    if layout.has_titles:
        track |= _names(given)
    return tuple(track.get(name) for name in COLUMNS)


def _source_id(given: Mapping[str, Any]) -> str:
    identifier = _text(given["source_id"]).rsplit(":", 1)[-1]
    if not identifier or len(identifier) > _MAX_ID_LENGTH:
        raise BadRowError("has no usable id")
    return identifier


def _names(given: Mapping[str, Any]) -> dict[str, Any]:
    title, artists = _text(given["title"]), _artists(given.get("artists"))
    if not title:
        raise BadRowError("has no title")
    if not artists:
        raise BadRowError("has no artist")
    date, genre = _date(given.get("release_date")), _text(given.get("genre"))
    return {
        "title": title,
        "artists": artists,
        "album": _text(given.get("album")),
        "release_date": date,
        "genre": genre,
        "language": parse_language(_text(given.get("language"))),
        **derived_columns(title=title, artists=artists, genre=genre, release_date=date),
    }


def _numbers(given: Mapping[str, Any], needed: Sequence[str]) -> dict[str, float | int | None]:
    numbers = {field: number_of(field, given[field]) for field in RANGES if field in given}
    for field in needed:
        if numbers.get(field) is None:
            raise BadRowError(f"has no {field}")
    return numbers


def number_of(field: str, value: Any) -> float | int | None:
    """A feature within its range, or None if unknown; raises BadRowError otherwise."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _ABSENT):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRowError(f"{field} is not a number") from error
    if math.isnan(number):
        return None
    low, high = RANGES[field]
    if not low <= number <= high:
        raise BadRowError(f"{field} is outside {low:g} to {high:g}")
    if number == UNKNOWN.get(field):
        return None
    return round(number) if field in WHOLE else number


def _boolean(field: str, value: Any) -> bool | None:
    plain = _text(value).lower()
    if plain in _ABSENT:
        return None
    if plain not in _TRUTH:
        raise BadRowError(f"{field} is neither true nor false")
    return _TRUTH[plain]


def _text(value: Any) -> str:
    """Stripped text without NUL characters, which PostgreSQL can't store."""
    if value is None or value != value:  # noqa: PLR0124  (NaN)
        return ""
    return str(value).replace("\x00", "").strip()


def _artists(value: Any) -> list[str]:
    """A list, "A;B" as Kaggle writes it, or "['A', 'B']" as data frames do."""
    if isinstance(value, list | tuple):
        return [name for name in map(_text, value) if name]
    text = _text(value)
    if text.startswith("[") and text.endswith("]"):
        try:
            return _artists(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return [text]
    return [name.strip() for name in text.split(";") if name.strip()]


def _date(value: Any) -> str:
    """2004, 2004-07 or 2004-07-05; "" for anything else."""
    match = _DATE.match(_text(value)[:10])
    if not match or match.group(1) == "0000":
        return ""
    return "-".join(part for part in match.groups() if part)
