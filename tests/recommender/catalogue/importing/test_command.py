"""`manage.py import_tracks` and its dry run."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender import services
from recommender.models import Track
from tests.recommender.catalogue.importing.tables import IDS, delimited, written

pytestmark = pytest.mark.django_db

ROWS: list[dict[str, Any]] = [
    {"track_id": i, "name": f"Sång {i}", "artists": "B", "energy": 0.25, "valence": 0.5, "key": "C"}
    for i in IDS[:4]
]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("import_tracks", *arguments)
    return capsys.readouterr().out


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A file whose rows are new, changed, known, repeated and bad, over a catalogue of three."""
    services.import_tracks(source=str(written(tmp_path / "old.csv", delimited(ROWS[1:]))))
    rows = [
        ROWS[0],
        {**ROWS[1], "energy": 0.75},
        {**ROWS[2], "key": "?"},
        ROWS[0],
        {**ROWS[3], "name": "two\nlines", "energy": 7},
    ]
    content = delimited(rows).replace("Sång", "Säng") + 'x,"open\n'
    return str(written(tmp_path / "new.csv", content.encode("cp1252")))


def test_check_says_what_the_import_then_does(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [*Track.objects.order_by("id").values()]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        checked = json.loads(run(capsys, source, "--check", "--json"))
    changing = ("insert into recommender", "update recommender", "delete from recommender")
    assert not [q for q in queries if any(word in q["sql"].lower() for word in changing)]
    assert [*Track.objects.order_by("id").values()] == before
    done = json.loads(run(capsys, source, "--json"))
    assert (checked.pop("written"), done.pop("written")) == (False, True)
    assert checked == done
    assert Track.objects.count() == 4


def test_json_contains_all_that_was_found(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(run(capsys, source, "--check", "--json"))
    counts = ("accepted", "updated", "unchanged", "repeated", "rejected", "lost_lines")
    assert [report[name] for name in counts] == [1, 2, 0, 1, 2, 3]
    assert report["rejections"] == [
        {"row": 6, "reason": "energy is outside 0 to 1", "lines": 2},
        {"row": 8, "reason": "has a quotation mark that is never closed", "lines": 1},
    ]
    assert report["left_out"] == {"key is not a number": {"count": 1, "first_row": 4}}
    file = report["file"]
    assert (file["encoding"], file["delimiter"], file["format"]) == ("cp1252", "comma", "text")
    assert file["columns"]["title"] == ["name"]
    assert file["other_columns"] == []


def test_check_tells_people_the_same(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, source, "--check")
    for part in (
        "encoding cp1252, delimiter comma",
        "title from name",
        "Nothing was written. An import would give: 1 added, 2 updated",
        "row 6 energy is outside 0 to 1 (2 lines)",
        "1 x key is not a number, first in row 4",
    ):
        assert part in result


def test_encoding_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "t.csv", delimited(ROWS[:1]).encode("cp500"))
    with pytest.raises(CommandError):
        run(capsys, str(path))
    run(capsys, str(path), "--encoding", "cp500")
    assert Track.objects.get().title == ROWS[0]["name"]


def test_titles_without_features_keep_those_that_are_known(tmp_path: Path) -> None:
    services.import_tracks(source=str(written(tmp_path / "old.csv", delimited(ROWS[:1]))))
    names = [{"Track name": "New", "Artist name": "B", "Type": "", "Playlist name": "",
              "Spotify - id": IDS[0]}]  # fmt: skip
    path = written(tmp_path / "names.csv", delimited(names))
    services.import_tracks(source=str(path), without_features=True)
    track = Track.objects.get()
    assert (track.title, track.energy) == ("New", 0.25)
