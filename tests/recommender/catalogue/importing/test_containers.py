"""Workbooks, JSON lines and compressed files, harmful ones included."""

import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.catalogue.importing import unpacking
from recommender.errors import ImportFailedError
from tests.recommender.catalogue.importing.tables import IDS, delimited, parsed, written

ROWS: list[dict[str, Any]] = [
    {"track_id": i, "name": f"Sång {i}", "artists": "Band", "energy": 0.25, "valence": 0.5}
    for i in IDS[:3]
]
CSV = delimited(ROWS).encode()
MB = 1024**2


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__dot__", "."), content)
    return out.getvalue()


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for at, rows in enumerate(sheets):
        sheet = book.active if at == 0 else book.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


TABLE = [[*ROWS[0]], *([*row.values()] for row in ROWS)]
PARQUET = io.BytesIO()
pq.write_table(pa.Table.from_pylist(ROWS), PARQUET)
JSON_LINES = "\n".join(map(json.dumps, ROWS)).encode()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(CSV),
        zipped(tracks__dot__csv=CSV),
        zipped(tracks__dot__csv=CSV, README__dot__md=b"read", __MACOSX=b"", readme__dot__txt=b"x"),
        zipped(tracks__dot__csv__dot__gz=gzip.compress(CSV)),
        zipped(tracks__dot__xlsx=workbook(TABLE)),
        zipped(tracks__dot__parquet=PARQUET.getvalue()),
        zipped(tracks=CSV),
        workbook(TABLE),
        workbook([["Notes"], ["none"]], TABLE),
        workbook([["My songs"], [], *TABLE]),
        JSON_LINES,
        b"\xef\xbb\xbf" + JSON_LINES,
        gzip.compress(JSON_LINES),
        PARQUET.getvalue(),
    ],
    ids=[
        *("gz", "zip", "zip with more", "gz in zip", "xlsx in zip", "parquet in zip"),
        *("zip without suffix", "xlsx", "second sheet", "title above", "jsonl", "jsonl with mark"),
        *("jsonl.gz", "parquet"),
    ],
)
def test_every_container_gives_the_same_tracks(tmp_path: Path, content: bytes) -> None:
    result = parsed(written(tmp_path / "any", content))
    assert [track["title"] for track in result.tracks] == [row["name"] for row in ROWS]
    assert result.refused == {}


def test_cells_of_a_workbook_keep_their_types(tmp_path: Path) -> None:
    header = [*ROWS[0], "release_date", "duration", "explicit", "key"]
    row = [*ROWS[0].values(), date(2004, 7, 5), time(3, 25), True, "F#"]
    (track,) = parsed(written(tmp_path / "t.xlsx", workbook([header, row]))).tracks
    assert (track["release_date"], track["duration_ms"]) == ("2004-07-05", 205_000)
    assert (track["explicit"], track["key"]) == (True, 6)


def test_missing_column_of_a_workbook_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    notes = [None] * 8 + ["a note beside the table"]
    content = workbook([[*TABLE[0][:4]], [*TABLE[1][:4], *notes]])
    with pytest.raises(ImportFailedError, match=r"are: track_id, name, artists, energy\. "):
        parsed(written(tmp_path / "t.xlsx", content))


@pytest.mark.parametrize(
    ("since_1970", "kind", "expected"),
    [
        *((-432_605, pa.date32(), "0785-07-27"), (12_604, pa.date32(), "2004-07-05")),
        *((-719_162, pa.date32(), ""), (3_000_000, pa.date32(), "")),
        (12_604 * 86_400 * 10**9 + 1, pa.timestamp("ns"), "2004-07-05"),
        (12_604 * 86_400, pa.timestamp("s", tz="Europe/Berlin"), "2004-07-05"),
    ],
)
def test_parquet_is_read_with_any_date(
    tmp_path: Path, since_1970: int, kind: Any, expected: str
) -> None:
    dated = pa.Table.from_pylist(ROWS[:1]).append_column(
        "release_date", pa.array([since_1970], kind)
    )
    pq.write_table(dated, tmp_path / "t.parquet")
    (track,) = parsed(tmp_path / "t.parquet").tracks
    assert track["release_date"] == expected


def test_row_of_a_workbook_is_named_by_its_number(tmp_path: Path) -> None:
    bad = [*[*ROWS[0].values()][:-1], "much"]
    content = workbook([TABLE[0], [], TABLE[1], bad])
    assert parsed(written(tmp_path / "t.xlsx", content)).refused == {4: "valence is not a number"}


def test_objects_of_spotify_s_api_are_read(tmp_path: Path) -> None:
    item = {
        "id": IDS[0],
        "name": "Song",
        "artists": [{"name": "One"}, {"name": "Two"}],
        "album": {"name": "Album", "release_date": "2004-07"},
        "audio_features": {"energy": 0.25, "valence": 0.5},
    }
    content = "\n".join(
        [
            json.dumps(item),
            "",
            "{broken",
            "[1]",
            json.dumps({**item, "id": 5}),
            json.dumps({**item, "name": "half \ud83d"}),
        ]
    )
    result = parsed(written(tmp_path / "t.jsonl", content))
    (track,) = result.tracks
    assert (track["artists"], track["album"]) == (["One", "Two"], "Album")
    assert (track["release_date"], track["energy"]) == ("2004-07", 0.25)
    assert result.refused == {
        3: "is not readable as JSON",
        4: "is no JSON object",
        5: "has an id that is no Spotify track id, URI or link",
        6: "title has letters that can't be read",
    }


def encrypted() -> bytes:
    content = bytearray(zipped(tracks__dot__csv=CSV))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def crowded() -> bytes:
    return zipped(**{f"{n:0200}": b"" for n in range(6000)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(a__dot__csv=CSV, b__dot__csv=CSV), r"2 tables \(a.csv, b.csv\)"),
        (zipped(a__dot__png=b"", b__dot__png=b""), "no table"),
        (zipped(a__dot__csv=zipped(b__dot__csv=zipped(c__dot__csv=CSV))), "within archives"),
        (encrypted(), "password"),
        (crowded(), "too many files"),
        (zipped(tracks__dot__csv=CSV)[:-30], "damaged"),
        (gzip.compress(CSV)[:-10], "damaged or incomplete"),
        (workbook(TABLE)[:-40], "damaged"),
        (workbook([]), "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
        (b"BZh91AY", "bzip2"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"\xef\xbb\xbf<!-- saved --><html>", "web page"),
        (b"<table><tr><td>track_id</td></tr></table>", "as .xlsx or CSV"),
        (b'<?xml version="1.0"?><Workbook/>', "as .xlsx or CSV"),
        (zipped(content__dot__xml=b"", mimetype=b"application/vnd.oasis"), "as .xlsx or CSV"),
        (b'[{"id": 1}]', "jq"),
    ],
)
def test_file_that_gives_no_table_says_what_to_do(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ImportFailedError, match=message):
        parsed(written(tmp_path / "any", content))


def gzip_bomb() -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as file:
        for _ in range(70):
            file.write(bytes(MB))
    return out.getvalue()


def zip_bomb(name: str = "tracks.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml" if name.startswith("xl/") else "readme.md", "x")
        with archive.open(name, "w") as file:
            for _ in range(70):
                file.write(bytes(MB))
    return out.getvalue()


def lying_zip_bomb() -> bytes:
    """A zip bomb that claims 1,000 bytes."""
    content = bytearray(zip_bomb())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "bomb",
    [gzip_bomb, zip_bomb, lying_zip_bomb, lambda: zip_bomb("xl/sharedStrings.xml")],
    ids=["gz", "zip", "zip with a false size", "xlsx"],
)
def test_bomb_is_refused_in_little_memory(tmp_path: Path, bomb: Callable[[], bytes]) -> None:
    path = written(tmp_path / "bomb", bomb())
    tracemalloc.start()
    try:
        with pytest.raises(ImportFailedError, match=r"times its size|damaged"):
            parsed(path)
        assert tracemalloc.get_traced_memory()[1] < 16 * MB
    finally:
        tracemalloc.stop()


def test_file_that_unpacks_to_more_than_allowed_is_refused() -> None:
    with pytest.raises(ImportFailedError, match="more than 2048 MB"):
        unpacking.check_size(2 * 1024 * MB + 1, 1024 * MB, 2 * 1024 * MB)
