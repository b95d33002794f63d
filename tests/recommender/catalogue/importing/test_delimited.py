"""Delimited text: quotation marks, unusual headers and broken lines."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalogue.importing.formats.lines import MAX_LENGTH, MAX_TAKEN
from recommender.errors import ImportFailedError
from tests.recommender.catalogue.importing.tables import IDS, delimited, parsed, written

HEADER = "track_id,track_name,artists,energy,valence"
UNCLOSED = "has a quotation mark that is never closed"


def lines(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *(f"{i},{row}" for i, row in zip(IDS, rows, strict=False))]) + "\n"


def titles(path: Path) -> list[str]:
    return [track["title"] for track in parsed(path).tracks]


GOOD = "Song,Band,0.5,0.5"


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ('"7"" Single",B,0.5,0.5', '7" Single'),
        ('"7" Single",B,0.5,0.5', '7" Single'),
        ('"7" Single,B,0.5,0.5', '"7" Single'),
        ('7" Single,B,0.5,0.5', '7" Single'),
        ('"A, B",B,0.5,0.5', "A, B"),
        ("None,B,0.5,0.5", "None"),
        ('"two\nlines",B,0.5,0.5', "two\nlines"),
        ('"two\nmore, lines",B,0.5,0.5', "two\nmore, lines"),
    ],
)
def test_title_with_quotation_marks_is_read(tmp_path: Path, row: str, title: str) -> None:
    result = parsed(written(tmp_path / "t.csv", lines(GOOD, row, GOOD)))
    assert [track["title"] for track in result.tracks] == ["Song", title, "Song"]
    assert result.refused == {}


@pytest.mark.parametrize(
    "after",
    [
        [GOOD] * 3,
        [GOOD, '"A, B",Band,0.5,0.5', GOOD],
        [GOOD, 'Ends with",Band,0.5,0.5', GOOD],
        [GOOD] * (MAX_TAKEN + 5),
        [f"{'x' * 5000},Band,0.5,0.5"] * 40,
        [],
    ],
    ids=["none follows", "pair follows", "mark follows", "many lines", "long lines", "last line"],
)
def test_unclosed_quotation_mark_costs_its_own_line_only(tmp_path: Path, after: list[str]) -> None:
    rows = [GOOD, '"Open quote,B,0.5,0.5', *after]
    many = "\n".join([HEADER, *(f"{i:022},{row}" for i, row in enumerate(rows))])
    result = parsed(written(tmp_path / "t.csv", many))
    assert result.refused == {3: UNCLOSED}
    assert len(result.tracks) == 1 + len(after)


def test_several_unclosed_quotation_marks_are_named_each(tmp_path: Path) -> None:
    bad = '"Open,B,0.5,0.5'
    result = parsed(written(tmp_path / "t.csv", lines(GOOD, bad, GOOD, bad, bad, GOOD)))
    assert result.refused == {3: UNCLOSED, 5: UNCLOSED, 6: UNCLOSED}
    assert len(result.tracks) == 3


def test_unclosed_mark_before_a_later_id_column_is_found(tmp_path: Path) -> None:
    header = "genre,artist_name,track_name,track_id,energy,valence"
    rows = [f'Pop,Band,"Song {i},{IDS[i]},0.5,0.5' if i in (1, 3) else
            f"Pop,Band,Song {i},{IDS[i]},0.5,0.5" for i in range(5)]  # fmt: skip
    rows[3] = f'Pop,Band,Song" 3,{IDS[3]},0.5,0.5'
    result = parsed(written(tmp_path / "t.csv", "\n".join([header, *rows])))
    assert result.refused == {3: UNCLOSED}
    assert [track["source_id"] for track in result.tracks] == [IDS[0], *IDS[2:5]]


def test_row_of_several_lines_is_refused_where_it_starts(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", lines(GOOD, '"two\nlines",B,9,0.5', GOOD, "S,B,9,0.5"))
    assert [*parsed(path).refused] == [3, 6]


def test_line_without_end_is_refused_and_the_next_read(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", lines(GOOD, "x" * (2 * MAX_LENGTH + 5), GOOD))
    result = parsed(path)
    assert result.refused == {3: "is longer than 1,000,000 characters"}
    assert len(result.tracks) == 2


@pytest.mark.parametrize(
    "before", ["sep=;\n", "\n\n", "My favourite songs\n\n", "Exported; 2026-01-01; by me\n"]
)
def test_header_below_other_lines_is_found(tmp_path: Path, before: str) -> None:
    content = before + lines(GOOD).replace(",", ";")
    result = parsed(written(tmp_path / "t.csv", content))
    assert len(result.tracks) == 1


def test_header_with_a_line_break_is_found(tmp_path: Path) -> None:
    header = 'id,"Name of the\ntrack",title,artists,energy,valence'
    content = f"{header}\n{IDS[0]},,Song,A,0.5,0.25\n"
    assert titles(written(tmp_path / "t.csv", content)) == ["Song"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_known(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / "t.csv", lines(GOOD, GOOD).replace("\n", ending))
    assert titles(path) == ["Song", "Song"]


def test_empty_cells_behind_the_last_column_do_no_harm(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "t.csv", lines(GOOD + ",,", GOOD + ",more")))
    assert result.refused == {3: "has 6 values where the header names 5"}


def test_cells_of_columns_without_a_name_may_be_missing(tmp_path: Path) -> None:
    header, row = lines(GOOD).splitlines()
    short = row.rpartition(",")[0]
    content = f"{header},,\n{row}\n{row},,\n{row},,a note\n{short}\n"
    result = parsed(written(tmp_path / "t.csv", content))
    assert len(result.tracks) == 3
    assert result.refused == {5: "has 4 values where the header names 7"}


def test_missing_column_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "Titel;Künstler;track_id\na;b;c\n")
    with pytest.raises(ImportFailedError) as raised:
        parsed(path)
    assert "no column for: energy (energy), valence (valence or happy)" in str(raised.value)
    assert "Its columns are: Titel, Künstler, track_id." in str(raised.value)


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "one\n", '{"a": \n 1}', "[1, 2]"])
def test_file_without_a_table_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ImportFailedError):
        parsed(written(tmp_path / "t.csv", content))


_LETTERS = st.characters(codec="utf-8", exclude_characters="\x00\ufffd\ufeff")
_NAMES = st.text(_LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(_NAMES, min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    energy=st.floats(0, 1),
)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path: Path, names: list[str], delimiter: str, encoding: str, energy: float
) -> None:
    rows: list[dict[str, Any]] = [
        {"track_id": i, "name": name, "artist": "B", "energy": energy, "valence": 0.5, "album": "A"}
        for i, name in zip(IDS, names, strict=False)
    ]
    path = written(tmp_path / "t.csv", delimited(rows, delimiter).encode(encoding))
    result = parsed(path)
    assert [(track["title"], track["energy"]) for track in result.tracks] == [
        (name, energy) for name in names
    ]
    assert result.refused == {}
