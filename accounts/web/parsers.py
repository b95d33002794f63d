"""Parsers of API requests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

INT64 = range(-(2**63), 2**63)


class StrictJSONParser(JSONParser):
    """Rejects JSON that the database, a float or UTF-8 can't represent."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply.") from error
        for value in _values(data):
            if problem := _problem_with(value):
                raise ParseError(f"JSON parse error - {problem}.")
        return data


def _values(data: Any) -> Iterator[Any]:
    """All nested keys and values."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        else:
            yield value


def _problem_with(value: Any) -> str:
    if isinstance(value, str):
        if "\x00" in value:
            return "text can't contain a NUL character"
        if any("\ud800" <= char <= "\udfff" for char in value):
            return "text can't contain a lone surrogate"
    elif (isinstance(value, int) and value not in INT64) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        return "a number is out of range"
    return ""
