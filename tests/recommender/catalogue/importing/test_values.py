"""Parsing of numbers, keys, dates, ids and names."""

from datetime import date, datetime
from typing import Any

import pytest

from recommender.catalogue.importing import artists
from recommender.catalogue.importing.track_ids import track_id
from recommender.catalogue.importing.values import (
    BadValueError,
    are_percentages,
    date_of,
    flag_of,
    milliseconds_of,
    mode_in_key,
    number_of,
)

ID = "6f807x0ima9a1j3VPbc7VN"


@pytest.mark.parametrize(
    "written",
    [
        ID,
        f" {ID}\n",
        f"spotify:track:{ID}",
        f"https://open.spotify.com/track/{ID}",
        f"http://open.spotify.com/track/{ID}/",
        f"open.spotify.com/track/{ID}?si=abc&utm_source=x",
        f"https://open.spotify.com/intl-de/track/{ID}?si=abc#t",
        f"https://open.spotify.com/intl-pt-BR/track/{ID}",
        f"https://open.spotify.com/embed/track/{ID}",
    ],
)
def test_track_id_is_taken_out(written: str) -> None:
    assert track_id(written) == ID


@pytest.mark.parametrize(
    "written",
    [
        *("", "1", ID[1:], ID + "0", ID[1:] + "-", ID[1:] + "é", 5, None, [ID]),
        *(f"spotify:album:{ID}", f"spotify:episode:{ID}", f"spotify:{ID}", "spotify:local:a:b:c:1"),
        *(f"https://open.spotify.com/album/{ID}", f"https://open.spotify.com/{ID}"),
        *(f"https://evil.test/track/{ID}", f"https://open.spotify.com.evil.test/track/{ID}"),
        *(f"https://evil.test/open.spotify.com/track/{ID}", f"https://spotify.link/{ID}"),
        *(f"https://open.spotify.com/track/{ID}0", f"{ID}?si=abc", f"{ID} {ID}"),
    ],
)
def test_what_is_no_track_id_is_none(written: Any) -> None:
    assert track_id(written) is None


@pytest.mark.parametrize(
    ("field", "written", "number"),
    [
        *(("energy", "0,438", 0.438), ("energy", ".5", 0.5), ("energy", "5e-1", 0.5)),
        *(("energy", "54%", 0.54), ("energy", "1,0", 1.0), ("energy", True, 1.0)),
        *(("loudness", "-6,1", -6.1), ("loudness", "−6.1", -6.1)),
        *(("tempo", "120,504", 120.504), ("tempo", "0", None), ("tempo", "n/a", None)),
        *(("duration_ms", "200,000", 200_000), ("duration_ms", "200.000", 200_000)),
        *(("duration_ms", "1 200 000", 1_200_000), ("duration_ms", "1,200,000.0", 1_200_000)),
        *(("duration_ms", "1.200.000,0", 1_200_000), ("duration_ms", "200000.0", 200_000)),
        *(
            ("key", "C", 0),
            ("key", "F#", 6),
            ("key", "B♭", 10),
            ("key", "Cb", 11),
            ("key", -1, None),
        ),
        *(("key", "C#/Db", 1), ("key", "a minor", 9), ("key", "C♯ / D♭ Major", 1)),
        *(("mode", "Major", 1), ("mode", "minor", 0), ("mode", "1", 1)),
        *(("time_signature", "4/4", 4), ("time_signature", "3", 3)),
        *(("popularity", "66.0", 66), ("popularity", None, None)),
    ],
)
def test_number_is_read(field: str, written: Any, number: float | None) -> None:
    assert number_of(field, written) == number


@pytest.mark.parametrize(
    ("field", "written"),
    [
        *(("energy", "1_0"), ("energy", "high"), ("energy", "1.5"), ("energy", "inf")),
        *(("energy", [1]), ("key", "H#"), ("key", "Hello"), ("mode", "loud")),
        *(("time_signature", "04. Apr"), ("tempo", "1e400"), ("duration_ms", 10**400)),
    ],
)
def test_what_is_no_such_number_is_refused(field: str, written: Any) -> None:
    with pytest.raises(BadValueError, match=field):
        number_of(field, written)


def test_percentages_are_divided() -> None:
    assert number_of("energy", "54", percent=True) == 0.54
    assert number_of("energy", "54,5", percent=True) == 0.545
    assert number_of("energy", "54 %", percent=True) == 0.54


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([[54, 80], ["20", 0]], True),
        ([[0.5, 0.8], [1, 0]], False),
        ([[0.5, 7], [0.2, 0.1]], False),
        ([[5, 8], [2, 4]], False),
        ([[540, 80], [20, 30]], False),
        ([[54, 80]], False),
        ([], False),
    ],
)
def test_scale_of_a_file_is_told(columns: list[list[Any]], expected: bool) -> None:
    assert are_percentages(columns) is expected


@pytest.mark.parametrize(
    ("field", "written", "milliseconds"),
    [
        *(("duration_ms", "215307", 215_307), ("duration_s", "215.307", 215_307)),
        *(("duration", "3:25", 205_000), ("duration", "1:02:03", 3_723_000)),
        *(("duration", "03:25.5", 205_000), ("duration", 215, 215_000)),
        *(("duration", "215307", 215_307), ("duration", "", None)),
    ],
)
def test_duration_is_read_in_every_unit(field: str, written: Any, milliseconds: int | None) -> None:
    assert milliseconds_of(field, written) == milliseconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *(("2004", "2004"), ("2004-07", "2004-07"), ("2004-07-05T00:00:00Z", "2004-07-05")),
        *((2004.0, "2004"), ("5.7.2004", "2004-07-05"), ("7/5/2004", "2004")),
        *(("July 5, 2004", "2004"), ("0", ""), ("", ""), ("0000-01-01", ""), (None, "")),
        *((date(1, 1, 1), ""), (datetime(1, 1, 1), ""), ("0001-01-01", ""), ("1.1.0001", "")),
        *((date(785, 7, 5), "0785-07-05"), (datetime(2004, 7, 5, 12), "2004-07-05")),
    ],
)
def test_date_is_as_precise_as_it_can_be(written: Any, expected: str) -> None:
    assert date_of("release_date", written) == expected


def test_mode_and_flags_are_read_in_words() -> None:
    assert [mode_in_key(key) for key in ("A minor", "C#maj", "Cm", "C", 5)] == [0, 1, 0, None, None]
    assert [flag_of("explicit", word) for word in ("TRUE", "FALSCH", "", True)] == [
        *(True, False, None, True)
    ]


@pytest.mark.parametrize(
    ("split", "cell", "names"),
    [
        (artists.by_list, "['A', \"B's\", 'C \\'D\\'']", ["A", "B's", "C 'D'"]),
        (artists.by_list, "['A' 'B'\n 'C']", ["A", "B", "C"]),
        (artists.by_list, "[]", []),
        (artists.by_list, "['Bj\\xf6rk']", ["Björk"]),
        (artists.by_list, "[spunge]", ["[spunge]"]),
        (artists.by_list, "['A', __import__('os')]", ["['A', __import__('os')]"]),
        (artists.by_semicolon, "A;B, C", ["A", "B, C"]),
        (artists.by_semicolon, "['A', 'B']", ["A", "B"]),
        (artists.by_semicolon_or_comma, "Tyler, The Creator;B", ["Tyler, The Creator", "B"]),
        (artists.by_semicolon_or_comma, "A,Tyler, The Creator", ["A", "Tyler, The Creator"]),
        (artists.by_escaped_comma, "Tyler\\, The Creator, B", ["Tyler, The Creator", "B"]),
        (artists.by_comma_and_space, "A, B", ["A", "B"]),
        (artists.single, "Tyler, The Creator", ["Tyler, The Creator"]),
    ],
)
def test_artists_are_split_by_the_layout_s_rule(
    split: artists.Splitter, cell: str, names: list[str]
) -> None:
    assert split(cell) == names


def test_duration_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(BadValueError, match="duration"):
        milliseconds_of("duration", "9" * 5000 + ":00")


def test_list_of_a_million_brackets_is_one_name_at_once() -> None:
    assert artists.by_list("[" * 1_000_000) == ["[" * 1_000_000]
    assert len(artists.by_list("[" + "'a' " * 100_000)) == 1
