import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from recommender import services
from recommender.errors import ImportFailedError
from recommender.models import Track
from recommender.selectors import tracks_lacking_features

pytestmark = pytest.mark.django_db

FEATURES = {
    "danceability": 0.7,
    "energy": 0.8,
    "key": 5,
    "loudness": -5.5,
    "mode": 1,
    "speechiness": 0.05,
    "acousticness": 0.1,
    "instrumentalness": 0.0,
    "liveness": 0.2,
    "valence": 0.6,
    "tempo": 121.0,
    "duration_ms": 200000,
}
TIDYTUESDAY = {
    "track_id": "6f807x0ima9a1j3VPbc7VN",
    "track_name": "A Song",
    "track_artist": "An Artist",
    "track_popularity": 66,
    "track_album_id": "x",
    "track_album_name": "An Album",
    "track_album_release_date": "2019-06-14",
    "playlist_name": "Pop",
    "playlist_id": "y",
    "playlist_genre": "pop",
    "playlist_subgenre": "dance pop",
    **FEATURES,
}
KAGGLE = {
    "": 0,
    "track_id": "5SuOikwiRyPMVoIQDJUgSV",
    "artists": "One;Two",
    "album_name": "An Album",
    "track_name": "A Song",
    "popularity": 73,
    "explicit": "False",
    **FEATURES,
    "time_signature": 4,
    "track_genre": "acoustic",
}
API = {
    **FEATURES,
    "type": "audio_features",
    "id": "11dFghVXANMlKmJXsNCbNl",
    "uri": "spotify:track:11dFghVXANMlKmJXsNCbNl",
    "track_href": "https://api.spotify.com/v1/tracks/11dFghVXANMlKmJXsNCbNl",
    "time_signature": 4,
}
PLAIN = {"track_id": f"{1:022}", "name": "A Song", "artists": "An Artist", **FEATURES}


def csv_bytes(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def csv_file(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "tracks.csv"
    path.write_bytes(csv_bytes(rows))
    return str(path)


def variants(n: int, base: dict[str, Any] = PLAIN, **changed: Any) -> list[dict[str, Any]]:
    return [{**base, "track_id": f"{i:022}", "name": f"Song {i}", **changed} for i in range(n)]


def test_tidytuesday_layout_is_read(tmp_path: Path) -> None:
    report = services.import_tracks(source=csv_file(tmp_path, [TIDYTUESDAY]))
    track = Track.objects.get()
    assert (report.accepted, report.rejected) == (1, 0)
    assert (track.source, track.source_id) == ("import", "6f807x0ima9a1j3VPbc7VN")
    assert (track.title, track.artists, track.album) == ("A Song", ["An Artist"], "An Album")
    assert (track.release_date, track.genre, track.popularity) == ("2019-06-14", "pop", 66)
    assert (track.energy, track.key, track.duration_ms) == (0.8, 5, 200000)
    assert track.spotify_id == "6f807x0ima9a1j3VPbc7VN"


def test_kaggle_layout_is_read(tmp_path: Path) -> None:
    services.import_tracks(source=csv_file(tmp_path, [KAGGLE]))
    track = Track.objects.get()
    assert track.artists == ["One", "Two"]
    assert (track.genre, track.popularity, track.time_signature) == ("acoustic", 73, 4)


def test_api_layout_updates_tracks_that_are_there(tmp_path: Path) -> None:
    known = {**PLAIN, "track_id": API["id"], "valence": 0.1}
    services.import_tracks(source=csv_file(tmp_path, [known]))
    unknown = {**API, "id": f"{9:022}"}
    report = services.import_tracks(source=csv_file(tmp_path, [API, unknown]))
    track = Track.objects.get()
    assert (track.title, track.valence) == ("A Song", 0.6)
    assert (report.accepted, report.updated, report.rejected) == (0, 1, 1)
    assert report.rejections == [
        {"row": 3, "reason": "has no title and describes no track that is there", "lines": 1}
    ]


def test_api_layout_with_names_adds_tracks(tmp_path: Path) -> None:
    row = {**API, "name": "A Song", "artists": "['One', 'Two']", "release_date": "1999"}
    services.import_tracks(source=csv_file(tmp_path, [row]))
    track = Track.objects.get()
    assert (track.artists, track.release_date) == (["One", "Two"], "1999")


def test_parquet_is_read_with_missing_values(tmp_path: Path) -> None:
    rows = [{**PLAIN, "popularity": None, "key": float("nan")}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    services.import_tracks(source=str(tmp_path / "t.parquet"))
    track = Track.objects.get()
    assert (track.popularity, track.key) == (None, None)


def test_same_file_again_changes_nothing(tmp_path: Path) -> None:
    source = csv_file(tmp_path, variants(5))
    assert services.import_tracks(source=source).accepted == 5
    ids = set(Track.objects.values_list("id", flat=True))
    again = services.import_tracks(source=source)
    assert (again.accepted, again.updated, again.unchanged) == (0, 0, 5)
    assert set(Track.objects.values_list("id", flat=True)) == ids


def test_changed_rows_are_updated_and_gaps_keep_what_is_known(tmp_path: Path) -> None:
    services.import_tracks(source=csv_file(tmp_path, variants(2, popularity=40)))
    changed = variants(2, popularity="")
    changed[0]["energy"] = 0.25
    report = services.import_tracks(source=csv_file(tmp_path, changed))
    assert (report.updated, report.unchanged) == (1, 1)
    assert sorted(Track.objects.values_list("energy", "popularity")) == [(0.25, 40), (0.8, 40)]


def test_first_of_repeated_rows_counts(tmp_path: Path) -> None:
    rows = [{**PLAIN, "energy": 0.3}, {**PLAIN, "energy": 0.9}]
    report = services.import_tracks(source=csv_file(tmp_path, rows))
    assert (report.accepted, report.repeated) == (1, 1)
    assert Track.objects.get().energy == 0.3


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"energy": 1.2}, "energy is outside 0 to 1"),
        ({"valence": -0.1}, "valence is outside 0 to 1"),
        ({"valence": ""}, "has no valence"),
        ({"energy": "inf"}, "energy is outside 0 to 1"),
        ({"name": " "}, "has no title"),
        ({"artists": ""}, "has no artist"),
        ({"energy": "much"}, "energy is not a number"),
        ({"name": "Canci\ufffdn"}, "title has letters that can't be read"),
        ({"track_id": ""}, "has no id"),
        ({"track_id": "x" * 23}, "has an id that is no Spotify track id, URI or link"),
    ],
)
def test_bad_rows_are_named_and_the_rest_is_taken(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    first, bad, last = variants(3)
    report = services.import_tracks(source=csv_file(tmp_path, [first, {**bad, **changed}, last]))
    assert (report.accepted, report.rejected) == (2, 1)
    assert report.rejections == [{"row": 3, "reason": reason, "lines": 1}]
    assert report.reasons == {reason: 1}


def test_broken_lines_are_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    lines = csv_bytes(variants(3)).splitlines()
    lines[2] = b"only,three,values"
    lines.append(b"9" * 22 + b",\xff\xfe Song,Artist," + lines[1].split(b",", 3)[3])
    lines.append(b"8" * 22 + ",Söng,A\x00rtist,".encode() + lines[1].split(b",", 3)[3])
    path = tmp_path / "broken.csv"
    path.write_bytes(b"\n".join(lines))
    report = services.import_tracks(source=str(path))
    assert (report.accepted, report.rejected) == (3, 2)
    assert [rejection["row"] for rejection in report.rejections] == [3, 5]
    assert Track.objects.get(source_id="8" * 22).artists == ["Artist"]


def test_whatever_is_unknown_in_its_own_way_becomes_null(tmp_path: Path) -> None:
    row = {**PLAIN, "key": -1, "tempo": 0, "release_date": "0000", "genre": "NaN"}
    services.import_tracks(source=csv_file(tmp_path, [row]))
    track = Track.objects.get()
    assert (track.key, track.tempo, track.release_date) == (None, None, "")


def test_file_without_needed_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailedError, match="energy"):
        services.import_tracks(source=csv_file(tmp_path, [{"track_id": "x", "name": "y"}]))


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing more"])
def test_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ImportFailedError):
        services.import_tracks(source=str(tmp_path / "file"))


def test_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ImportFailedError, match="No such file"):
        services.import_tracks(source="/nowhere/tracks.csv")


def answering(status: int = 200, content: bytes = b"", **headers: str) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content, headers=headers))


def test_https_address_is_read() -> None:
    transport = answering(content=csv_bytes([PLAIN]))
    report = services.import_tracks(source="https://example.test/t.csv", transport=transport)
    assert report.accepted == 1


@pytest.mark.parametrize(
    ("address", "transport", "message"),
    [
        ("http://example.test/t.csv", answering(), "Only https"),
        ("https://example.test/t.csv", answering(404), "status 404"),
        ("https://example.test/t", answering(302, Location="http://inside.test/"), "Only https"),
        ("https://example.test/t", answering(302, Location="/t"), "too often"),
    ],
)
def test_address_that_gives_no_table_is_refused(
    address: str, transport: httpx.MockTransport, message: str
) -> None:
    with pytest.raises(ImportFailedError, match=message):
        services.import_tracks(source=address, transport=transport)


def test_address_that_never_answers_is_refused() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(ImportFailedError, match="ReadTimeout"):
        services.import_tracks(source="https://example.test/", transport=httpx.MockTransport(never))


def test_address_with_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from recommender.catalogue.importing import files

    with (
        pytest.raises(ImportFailedError, match="larger"),
        files.opened("https://example.test/", transport=answering(content=b"x" * 99), max_bytes=9),
    ):
        pass


def test_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*variants(2), {**PLAIN, "energy": 7}]
    call_command("import_tracks", csv_file(tmp_path, rows), "--json")
    result = json.loads(capsys.readouterr().out)
    assert (result["accepted"], result["rejected"]) == (2, 1)
    assert result["rejections"] == [{"row": 4, "reason": "energy is outside 0 to 1", "lines": 1}]


def test_command_tells_people_where_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_tracks", csv_file(tmp_path, [{**PLAIN, "energy": 7}]))
    assert "row 2 energy is outside 0 to 1" in capsys.readouterr().out


def test_command_fails_with_a_sentence() -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_tracks", "/nowhere")


def test_demo_catalogue_loads_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_demo_catalogue", "--json")
    call_command("load_demo_catalogue", "--json")
    first, again = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"added": 300, "updated": 0, "unchanged": 0}
    assert again == {"added": 0, "updated": 0, "unchanged": 300}
    track = Track.objects.filter(source="demo").first()
    assert track is not None
    assert track.recipe is not None
    assert track.recipe["tempo"] == track.tempo
    assert track.spotify_id is None


def test_language_explicit_flag_year_and_family_are_kept(tmp_path: Path) -> None:
    row = {**KAGGLE, "explicit": "True", "language": "English", "year": 2004}
    services.import_tracks(source=csv_file(tmp_path, [row]))
    track = Track.objects.get()
    assert (track.explicit, track.language, track.release_year) == (True, "en", 2004)
    assert (track.genre, track.genre_family) == ("acoustic", "country and folk")


def test_what_a_later_file_leaves_out_stays_known(tmp_path: Path) -> None:
    services.import_tracks(source=csv_file(tmp_path, [{**KAGGLE, "language": "de"}]))
    later = {name: value for name, value in KAGGLE.items() if name not in ("explicit", "")}
    services.import_tracks(source=csv_file(tmp_path, [{**later, "track_genre": ""}]))
    track = Track.objects.get()
    assert (track.explicit, track.language, track.genre_family) == (False, "de", "country and folk")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tempo": "fast"}, "tempo is not a number"),
        ({"duration_ms": 10**12}, "duration_ms is outside 1 to 8.64e+07"),
        ({"explicit": "maybe"}, "explicit is neither true nor false"),
        ({"album_name": "Alb\ufffdm"}, "album has letters that can't be read"),
        ({"release_date": "soon"}, "release_date is no date"),
        ({"isrc": "US"}, "isrc is no recording code"),
        ({"language": "Elvish"}, "language is unknown"),
    ],
)
def test_optional_value_that_is_unreadable_is_left_out_and_noted(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    report = services.import_tracks(source=csv_file(tmp_path, [{**KAGGLE, **changed}]))
    assert (report.accepted, report.rejected) == (1, 0)
    assert report.to_json()["left_out"] == {reason: {"count": 1, "first_row": 2}}


def test_titles_without_features_wait_for_a_provider(tmp_path: Path) -> None:
    rows = [{"id": "6f807x0ima9a1j3VPbc7VN", "name": "A Song", "artist": "An Artist"}]
    report = services.import_tracks(source=csv_file(tmp_path, rows), without_features=True)
    assert (report.accepted, report.rejected) == (1, 0)
    assert [track.title for track in tracks_lacking_features("any", limit=9)] == ["A Song"]
    odd = csv_file(tmp_path, [{**rows[0], "energy": 3}])
    report = services.import_tracks(source=odd, without_features=True)
    assert (report.unchanged, [*report.left_out]) == (1, ["energy is outside 0 to 1"])
