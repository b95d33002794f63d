"""Read single values: numbers with their ranges, flags, dates and texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

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
UNIT_FIELDS = tuple(field for field, limits in RANGES.items() if limits == UNIT and field != "mode")
WHOLE = ("key", "mode", "time_signature", "popularity", "duration_ms")
# Sentinel values that mean "unknown".
UNKNOWN = {"key": -1, "tempo": 0, "time_signature": 0}
ABSENT = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "#n/a"})
_YES = ("true", "yes", "1", "1.0", "t", "y", "explicit", "wahr", "ja", "vrai", "verdadero")
_NO = ("false", "no", "0", "0.0", "f", "n", "clean", "falsch", "nein", "faux", "falso")
_TRUTH = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
_ISO_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?:\.0)?$", re.A)
_GERMAN_DATE = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(\d{4})", re.A)
# Programs write these years where they know none.
_NO_YEAR = ("0000", "0001")
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_SPACES = re.compile(r"(?<=\d)[\s'’](?=\d{3})")
_NOTE = re.compile(r"([A-G])\s*([#♯b♭]?)(?:\s*/\s*[A-G][#♯b♭]?)?(?:\s*(maj|min|m)\w*)?", re.I)
_NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARPS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_METRE = re.compile(r"(\d+)\s*/\s*\d+")
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,6}):(\d\d)(?:\.\d+)?")
# The replacement character, and halves of a pair that JSON can hold but PostgreSQL can't.
_UNREADABLE = re.compile("[\ufffd\ud800-\udfff]")
_MAX_NUMBER_LENGTH = 40
# Nothing is shorter than ten seconds or longer than ten thousand.
_MOST_SECONDS = 10_000


class BadValueError(ValueError):
    """The value can't be read; the message says why."""


def is_blank(value: Any) -> bool:
    """Whether a cell is empty. "None" and "-" are titles of songs."""
    if value is None or value != value:  # noqa: PLR0124  (NaN)
        return True
    return isinstance(value, str) and not value.strip()


def is_absent(value: Any) -> bool:
    """Whether a cell is empty or says that its value is unknown."""
    return is_blank(value) or (isinstance(value, str) and value.strip().lower() in ABSENT)


def number_of(field: str, value: Any, *, percent: bool = False) -> float | int | None:
    """A feature within its range, or None if unknown; raises BadValueError otherwise.

    `percent`: the value is 0 to 100 where the feature is 0 to 1.
    """
    if (number := _usual(field, value)) is None:
        if is_absent(value):
            return None
        number = _to_float(field, value)
        percent = percent and not str(value).rstrip().endswith("%")
    if percent:
        number /= 100
    low, high = RANGES[field]
    if not low <= number <= high:
        raise BadValueError(f"{field} is outside {low:g} to {high:g}")
    if number == UNKNOWN.get(field):
        return None
    return round(number) if field in WHOLE else number


def _usual(field: str, value: Any) -> float | None:
    """The number in most cells, fast; None says nothing about the others."""
    if isinstance(value, str) and (not value.isdecimal() if field in WHOLE else "_" in value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if number != number else number  # noqa: PLR0124  (NaN)


def _to_float(field: str, value: Any) -> float:
    if isinstance(value, str):
        return _from_text(field, value.strip())
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadValueError(f"{field} is not a number") from error
    return number


def _from_text(field: str, text: str) -> float:
    try:
        return float(_plain_number(text, whole=field in WHOLE))
    except ValueError:
        pass
    if field == "key" and (match := _NOTE.fullmatch(text)):
        return (_NOTES[match.group(1).upper()] + _SHARPS[match.group(2).lower()]) % 12
    if field == "mode" and text.lower()[:3] in ("maj", "min"):
        return float(text.lower().startswith("maj"))
    if field == "time_signature" and (match := _METRE.fullmatch(text)):
        return float(match.group(1))
    if field in UNIT_FIELDS and text.endswith("%"):
        return _from_text(field, text[:-1].strip()) / 100
    raise BadValueError(f"{field} is not a number")


def _plain_number(text: str, *, whole: bool) -> str:
    """1.234,5 and 1,234.5 and 0,5 as Python writes them; raises ValueError for what is none.

    200,000 is two hundred thousand where whole numbers are wanted, and two hundred otherwise.
    """
    if "_" in text or len(text) > _MAX_NUMBER_LENGTH:
        raise ValueError
    text = _SPACES.sub("", text.replace("−", "-"))
    if whole and (match := _GROUPS.fullmatch(text)):
        return text.replace(match.group(1), "")
    comma, point = text.rfind(","), text.rfind(".")
    if comma < 0:
        return text
    return text.replace(",", "") if point > comma else text.replace(".", "").replace(",", ".")


def mode_in_key(value: Any) -> int | None:
    """The mode that a key such as "A minor" states."""
    match = _NOTE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(match.group(3).lower() == "maj") if match and match.group(3) else None


def milliseconds_of(field: str, value: Any) -> float | int | None:
    """The duration in a column of milliseconds, of seconds, or of either or of 3:25."""
    if is_absent(value):
        return None
    if (seconds := _clock(value)) is None:
        number = _to_float(field if field == "duration_ms" else "duration", value)
        is_seconds = field == "duration_s" or (field == "duration" and number < _MOST_SECONDS)
        return number_of("duration_ms", number * 1000 if is_seconds else number)
    return number_of("duration_ms", seconds * 1000)


def _clock(value: Any) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        # A spreadsheet takes 3:25 for hours and minutes.
        return (
            value.hour * 60 + value.minute
            if not value.second
            else (value.hour * 3600 + value.minute * 60 + value.second)
        )
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def flag_of(field: str, value: Any) -> bool | None:
    """True, False, or None if unknown; raises BadValueError otherwise."""
    if is_absent(value):
        return None
    if (flag := _TRUTH.get(str(value).strip().lower())) is None:
        raise BadValueError(f"{field} is neither true nor false")
    return flag


def text_of(field: str, value: Any) -> str:
    """Stripped text without NUL characters, which PostgreSQL can't store.

    BadValueError: letters were lost when the file was decoded, now or earlier.
    """
    if is_blank(value):
        return ""
    text = str(value).replace("\x00", "").strip()
    if not text.isascii() and _UNREADABLE.search(text):
        raise BadValueError(f"{field} has letters that can't be read")
    return text


def date_of(field: str, value: Any) -> str:
    """2004, 2004-07 or 2004-07-05; "" if unknown. BadValueError: nothing of it is a date."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10] if value.year > 1 else ""
    text = text_of(field, value)
    if match := _ISO_DATE.match(text[:10]):
        return "-".join(p for p in match.groups() if p) if match.group(1) not in _NO_YEAR else ""
    if match := _GERMAN_DATE.fullmatch(text):
        day, month, year = match.groups()
        return f"{year}-{int(month):02}-{int(day):02}" if year not in _NO_YEAR else ""
    # Of 5/6/2004 nobody can tell which is the month.
    if year_alone := _YEAR.search(text):
        return year_alone.group()
    if is_absent(text) or text in ("0", "0.0"):
        return ""
    raise BadValueError(f"{field} is no date")


def are_percentages(columns: Sequence[Sequence[Any]]) -> bool:
    """Whether most values of several features that should be 0 to 1 are up to 100."""
    numbers = []
    for value in (value for column in columns for value in column if not is_absent(value)):
        try:
            numbers.append(_to_float("energy", value))
        except BadValueError:
            continue
    above = [number for number in numbers if number > 1]
    # Up to ten, it could be marks out of ten just as well.
    return len(columns) > 1 and 2 * len(above) > len(numbers) and 10 < max(above) <= 100


def uses_decimal_comma(values: Sequence[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str) and not is_absent(value)]
    return 2 * sum("," in text for text in texts) > len(texts)
