"""Turn the rows of a catalogue file into tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from recommender.catalogue.importing.artists import names_in
from recommender.catalogue.importing.columns import COLUMNS
from recommender.catalogue.importing.layouts import Layout
from recommender.catalogue.importing.tables import TableRow
from recommender.catalogue.importing.track_ids import isrc, track_id
from recommender.catalogue.importing.values import (
    RANGES,
    UNIT_FIELDS,
    BadValueError,
    are_percentages,
    date_of,
    flag_of,
    is_absent,
    is_blank,
    milliseconds_of,
    mode_in_key,
    number_of,
    text_of,
    uses_decimal_comma,
)
from recommender.catalogue.languages import parse_language
from recommender.engine.tracks.derived import derived_columns

_NUMBERS = tuple(name for name in RANGES if name != "duration_ms")
_DURATIONS = ("duration_ms", "duration_s", "duration")
_TEXTS = ("album", "genre")
_T = TypeVar("_T")


class BadRowError(ValueError):
    """The row can't become a track; the message says why."""


@dataclass
class RowParser:
    """Parses rows of one layout. What is optional and unreadable is left out and noted."""

    layout: Layout
    percentages: frozenset[str]
    """Features that the file states in per cent."""
    left_out: list[str] = field(default_factory=list)
    """Why values of the latest row were left out."""

    def parse(self, cells: Sequence[Any]) -> tuple[Any, ...]:
        """The values of a track in the order of COLUMNS; raises BadRowError if it's none."""
        self.left_out = []
        given = self._given(cells)
        track: dict[str, Any] = {"source_id": self._id(given), **self._numbers(given)}
        track["duration_ms"] = self._duration(given)
        track["isrc"] = self._optional(given, "isrc", _isrc)
        track["explicit"] = self._optional(given, "explicit", flag_of)
        if self.layout.has_titles:
            track |= self._names(given)
        return tuple(track.get(name) for name in COLUMNS)

    def _id(self, given: dict[str, list[Any]]) -> str | None:
        if self.layout.needs_id:
            return _source_id(given)
        return next(filter(None, map(track_id, given.get("source_id", ()))), None)

    def _given(self, cells: Sequence[Any]) -> dict[str, list[Any]]:
        """The cells of each field, those with a value first."""
        width = self.layout.width
        if len(cells) != width and (len(cells) < self.layout.named or any(cells[width:])):
            raise BadRowError(f"has {len(cells)} values where the header names {width}")
        return {name: [cells[p] for p in places] for name, places in self.layout.positions.items()}

    def _numbers(self, given: dict[str, list[Any]]) -> dict[str, float | int | None]:
        numbers = {name: self._number(given, name) for name in _NUMBERS if name in given}
        if "key" in given and numbers.get("mode") is None:
            numbers["mode"] = mode_in_key(given["key"][0])
        for name in self.layout.needed:
            if numbers.get(name) is None:
                raise BadRowError(f"has no {name}")
        return numbers

    def _number(self, given: dict[str, list[Any]], name: str) -> float | int | None:
        try:
            return number_of(name, _first(given[name]), percent=name in self.percentages)
        except BadValueError as error:
            if name in self.layout.needed:
                raise BadRowError(str(error)) from error
            self.left_out.append(str(error))
        return None

    def _duration(self, given: dict[str, list[Any]]) -> float | int | None:
        durations = (self._optional(given, name, milliseconds_of) for name in _DURATIONS)
        return next((duration for duration in durations if duration is not None), None)

    def _names(self, given: dict[str, list[Any]]) -> dict[str, Any]:
        title, artists = self._title(given), self._artists(given)
        if not title:
            raise BadRowError("has no title")
        if not artists:
            raise BadRowError("has no artist")
        album, genre = (self._optional(given, name, _text) or "" for name in _TEXTS)
        date = self._optional(given, "release_date", date_of) or ""
        return {
            "title": title,
            "artists": artists,
            "album": album,
            "release_date": date,
            "genre": genre,
            "language": self._optional(given, "language", _language) or "",
            **derived_columns(title=title, artists=artists, genre=genre, release_date=date),
        }

    def _title(self, given: dict[str, list[Any]]) -> str:
        return _needed("title", _first(given["title"], is_blank))

    def _artists(self, given: dict[str, list[Any]]) -> list[str]:
        value = _first(given.get("artists", []), is_blank)
        if isinstance(value, list | tuple):
            names: Iterable[Any] = names_in(value)
        else:
            names = self.layout.publisher.split(_needed("artist", value))
        return [name for name in (_needed("artist", name) for name in names) if name]

    def _optional(
        self, given: dict[str, list[Any]], name: str, read: Callable[[str, Any], _T | None]
    ) -> _T | None:
        """The first readable of the field's values."""
        for value in given.get(name, ()):
            try:
                if (result := read(name, value)) is not None and result != "":
                    return result
            except BadValueError as error:
                self.left_out.append(str(error))
        return None


def parser_of(layout: Layout, sample: Sequence[TableRow]) -> tuple[RowParser, dict[str, str]]:
    """A parser for rows like these, and what was found out about how they're written."""
    rows = [row.cells for row in sample if not isinstance(row.cells, str)]
    columns = {
        name: [cells[places[0]] for cells in rows if len(cells) > places[0]]
        for name, places in layout.positions.items()
        if name in RANGES
    }
    units = [values for name, values in columns.items() if name in UNIT_FIELDS]
    in_percent = are_percentages(units)
    scaled = frozenset(UNIT_FIELDS) if in_percent else layout.percentages & {*UNIT_FIELDS}
    facts = {"layout": layout.publisher.name or "unknown"}
    if uses_decimal_comma([value for values in units for value in values]):
        facts["decimal"] = "comma"
    if scaled:
        facts["scale"] = "per cent"
    return RowParser(layout, scaled), facts


def _first(values: Sequence[Any], is_missing: Callable[[Any], bool] = is_absent) -> Any:
    if len(values) == 1:
        return values[0]
    return next((value for value in values if not is_missing(value)), None)


def _source_id(given: dict[str, list[Any]]) -> str:
    values = given["source_id"]
    if identifier := next(filter(None, map(track_id, values)), None):
        return identifier
    if all(map(is_absent, values)):
        raise BadRowError("has no id")
    raise BadRowError("has an id that is no Spotify track id, URI or link")


def _needed(name: str, value: Any) -> str:
    try:
        return text_of(name, value)
    except BadValueError as error:
        raise BadRowError(str(error)) from error


def _isrc(name: str, value: Any) -> str:
    if not (code := isrc(value)) and not is_absent(value):
        raise BadValueError(f"{name} is no recording code")
    return code


def _language(name: str, value: Any) -> str:
    text = _text(name, value)
    if not (code := parse_language(text)) and text:
        raise BadValueError(f"{name} is unknown")
    return code


def _text(name: str, value: Any) -> str:
    """An optional text; of a list, the first."""
    if isinstance(value, list | tuple):
        return text_of(name, value[0]) if value else ""
    text = text_of(name, value)
    return "" if is_absent(text) else text
