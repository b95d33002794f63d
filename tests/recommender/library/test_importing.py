import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from recommender.catalogue.importing import unpacking
from recommender.errors import ImportFailedError
from recommender.library.importing import archives, services, spotify_export
from recommender.library.importing.services import LibraryReport, import_library
from recommender.models import LibraryTrack, Track
from tests.factories import make_track, make_user
from tests.recommender.library.exports import listed, make_export, played, saved, titles, uri
from tests.recommender.library.factories import make_own_track, make_spotify_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def take(user: User, path: Path) -> LibraryReport:
    return import_library(user=user, path=path, name=path.name)


def test_spotify_s_export_becomes_a_private_library(user: User, tmp_path: Path) -> None:
    catalogued = make_track(source_id=make_spotify_id(), title="Often Played", artists=["B"])
    ids = [make_spotify_id() for _ in range(2)]
    path = make_export(
        tmp_path,
        YourLibrary={"tracks": [saved("夜に駆ける", ids[0])], "albums": [], "shows": [{"x": 1}]},
        Playlist1={"playlists": [{"name": "P", "items": [
            listed("On a List", ids[1]), listed("Again", ids[0]), {"track": None}]}]},
        StreamingHistory_music_0=[played("Often Played")] * 3 + [played("Never Heard Of"),
                                                                 played("Skipped", ms=1000)],
        Marquee=[{"artistName": "x"}],
    )  # fmt: skip
    report = take(user, path)
    assert (report.stored, report.repeated, report.unknown, report.unreadable) == (3, 1, 1, 0)
    assert report.kinds == {"library": 1, "playlists": 1, "history": 1}
    assert titles(user) == {"夜に駆ける", "On a List", "Often Played"}
    private = Track.objects.filter(source="spotify")
    assert {track.source_id for track in private} == {*ids, catalogued.source_id}


def test_the_extended_history_names_its_tracks(user: User, tmp_path: Path) -> None:
    rows = [
        {
            "ts": "2024-01-01T00:00:00Z",
            "ms_played": 90_000,
            "master_metadata_track_name": "Long Ago",
            "master_metadata_album_artist_name": "B",
            "master_metadata_album_album_name": "C",
            "spotify_track_uri": uri(make_spotify_id()),
        },
        {"ts": "x", "ms_played": 90_000, "master_metadata_track_name": None,
         "spotify_episode_uri": "spotify:episode:1"},
    ]  # fmt: skip
    assert take(user, make_export(tmp_path, **{"Streaming_History_Audio_2020-2021_1": rows})).stored
    assert titles(user) == {"Long Ago"}


def test_the_most_played_count(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spotify_export, "MOST_PLAYED", 1)
    for title in ("Once", "Twice"):
        make_track(source_id=make_spotify_id(), title=title, artists=["B"])
    path = make_export(
        tmp_path,
        StreamingHistory_music_0=[played("Once"), played("Twice")],
        StreamingHistory_music_1=[played("Twice")],
    )
    take(user, path)
    assert titles(user) == {"Twice"}


def test_a_history_of_very_many_tracks_keeps_those_played_often(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spotify_export, "MOST_COUNTED", 2)
    make_track(source_id=make_spotify_id(), title="Often", artists=["B"])
    once = [played(f"Once {n}") for n in range(9)]
    take(user, make_export(tmp_path, StreamingHistory_music_0=[played("Often")] * 3 + once))
    assert titles(user) == {"Often"}


@pytest.mark.parametrize("name", ["YourLibrary.json", "whatever.json"])
def test_a_single_file_of_the_export_is_enough(user: User, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(json.dumps({"tracks": [saved("Alone", make_spotify_id())]}))
    assert take(user, path).stored == 1


TABLES = {
    "Exportify": 'Track URI,Track Name,Album Name,Artist Name(s),Added At\n"{uri}","A, B",Al,"X;Y",'
    "2020-01-01T00:00:00Z\n",
    "TuneMyMusic": "Track name,Artist name,Album,Playlist name,Type,ISRC,Spotify - id\n"
    '"A, B","X",Al,P,Playlist,,{id}\n',
    "Soundiiz": "title,artist,album,isrc,addedDate\n\"A, B\",X,Al,GBAYE0601498,2020-01-01\n",
    "links": "Title,Artist,Link\n\"A, B\",X,https://open.spotify.com/intl-de/track/{id}?si=1\n",
    "ids alone": "spotify id\n{id}\n",
    "copied links": "https://open.spotify.com/track/{id}?si=1\n\nhttps://open.spotify.com/track/{id}\n",
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_playlists_are_read(user: User, tmp_path: Path, table: str) -> None:
    known = make_track(
        source_id=make_spotify_id(), title="A, B", artists=["X"], isrc="GBAYE0601498"
    )
    path = tmp_path / "playlist.csv"
    path.write_text(TABLES[table].format(uri=uri(known.source_id), id=known.source_id))
    assert take(user, path).stored == 1
    held = LibraryTrack.objects.select_related("track").get(user=user)
    assert (held.track.source_id, held.track.title) == (known.source_id, "A, B")
    assert held.track.artists[0] == "X"


def test_several_playlists_in_one_archive_are_read(user: User, tmp_path: Path) -> None:
    path = tmp_path / "playlists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(2):
            content = f"Title,Artist,Link\nSong {n},X,{uri(make_spotify_id())}\n"
            archive.writestr(f"playlist {n}.csv", content)
    assert take(user, path).stored == 2


def test_a_file_never_changes_what_others_see_of_a_track(user: User, tmp_path: Path) -> None:
    theirs = make_own_track(make_user(), title="As Spotify Says", valence=0.2)
    path = tmp_path / "mine.csv"
    path.write_text(f"Title,Artist,valence,energy,Link\nOther,X,0.9,0.9,{uri(theirs.source_id)}\n")
    take(user, path)
    theirs.refresh_from_db()
    assert (theirs.title, theirs.valence) == ("As Spotify Says", 0.2)
    assert LibraryTrack.objects.get(user=user).track == theirs


def test_a_file_s_isrc_stays_out_of_the_shared_row(user: User, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"Title,Artist,ISRC,Link\nMine,X,GBAYE0601498,{uri(make_spotify_id())}\n")
    take(user, path)
    assert LibraryTrack.objects.get(user=user).track.isrc == ""


def test_a_file_fills_a_row_whose_metadata_has_expired(user: User, tmp_path: Path) -> None:
    blank = make_own_track(make_user(), title="", artists=[])
    path = tmp_path / "mine.csv"
    path.write_text(f"Title,Artist,Link\nMine,X,{uri(blank.source_id)}\n")
    take(user, path)
    blank.refresh_from_db()
    assert (blank.title, blank.artists) == ("Mine", ["X"])
    held = LibraryTrack.objects.get(user=user)
    assert held.song_key == blank.song_key


def bomb(folder: Path) -> Path:
    return make_export(folder, YourLibrary=" " * 1_000_000)


def with_password(folder: Path) -> Path:
    path = make_export(folder, YourLibrary={"tracks": []})
    content = bytearray(path.read_bytes())
    start = content.rfind(b"PK\x01\x02")
    content[start + 8] |= 1
    path.write_bytes(content)
    return path


def cut_off(folder: Path) -> Path:
    return make_export(folder, YourLibrary='{"tracks": [{"track": "A", "artist"')


def without_music(folder: Path) -> Path:
    return make_export(folder, Userdata={"x": 1})


def picture(folder: Path) -> Path:
    (path := folder / "x.zip").write_bytes(b"\x89PNG\r\n" + bytes(range(256)))
    return path


def empty_library(folder: Path) -> Path:
    return make_export(folder, YourLibrary={"tracks": []})


def other_json(folder: Path) -> Path:
    (path := folder / "x.json").write_text('{"hello": 1}')
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (bomb, "unpacks to more than"),
        (with_password, "password"),
        (cut_off, "damaged or incomplete"),
        (without_music, "holds no music"),
        (picture, "no list of tracks"),
        (empty_library, "holds no tracks"),
        (other_json, "holds no music"),
    ],
)
def test_wrong_files_get_a_clear_error_and_store_nothing(
    user: User, tmp_path: Path, make: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_ALWAYS_ALLOWED", 100_000)
    with pytest.raises(ImportFailedError, match=message):
        take(user, make(tmp_path))
    assert not LibraryTrack.objects.exists()


def test_an_archive_that_unpacks_to_too_much_is_refused(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    path = make_export(
        tmp_path, **{f"StreamingHistory_music_{n}": [played("A" * 600)] for n in range(2)}
    )
    with pytest.raises(ImportFailedError, match="unpacks to more than"):
        take(user, path)


def test_a_library_has_an_end(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_TRACKS", 2)
    tracks = [saved(f"T{n}", make_spotify_id()) for n in range(5)]
    report = take(user, make_export(tmp_path, YourLibrary={"tracks": tracks}))
    assert (report.stored, report.beyond) == (2, 3)


def test_reading_a_long_history_takes_little_memory(tmp_path: Path) -> None:
    row = json.dumps(played("A Title of the Usual Length", artist="Artist"))[:-1]
    text = io.StringIO()
    text.write("[")
    text.write(",".join(f'{row}, "n": {n}}}' for n in range(6_000)))
    text.write("]")
    path = make_export(tmp_path, StreamingHistory_music_0=text.getvalue())
    del text
    tracemalloc.start()
    n = sum(1 for _ in archives.items_in(path, path.name))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 1
    assert peak < 1_000_000


def test_links_of_unknown_tracks_say_what_is_missing(user: User, tmp_path: Path) -> None:
    path = tmp_path / "links.txt"
    path.write_text(f"{uri(make_spotify_id())}\n{uri(make_spotify_id())}\n")
    with pytest.raises(ImportFailedError, match="links or ids alone"):
        take(user, path)


def test_a_byte_order_mark_changes_nothing(user: User, tmp_path: Path) -> None:
    for name, content in {
        "StreamingHistory_music_0.json": [played("Known")],
        "other.json": {"tracks": [saved("Mine", make_spotify_id())]},
    }.items():
        make_track(title="Known", artists=["B"], source_id=make_spotify_id())
        path = tmp_path / name
        path.write_text(json.dumps(content), encoding="utf-8-sig")
        assert take(user, path).stored == 1


def test_the_extended_history_of_older_exports_is_found(user: User, tmp_path: Path) -> None:
    row = {
        "ts": "2022-01-01T00:00:00Z",
        "ms_played": 60_000,
        "master_metadata_track_name": "Old",
        "master_metadata_album_artist_name": "B",
        "spotify_track_uri": uri(make_spotify_id()),
    }
    assert take(user, make_export(tmp_path, endsong_0=[row])).stored == 1


def test_of_several_tables_the_one_that_cannot_be_read_is_named(user: User, tmp_path: Path) -> None:
    path = tmp_path / "playlists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.csv", f"Track URI,Title,Artist\n{uri(make_spotify_id())},T,A\n")
        archive.writestr("notes.csv", "a,b\n1,2\n")
    with pytest.raises(ImportFailedError, match=r"^notes\.csv: .*column of Spotify links"):
        take(user, path)


def test_a_picture_named_csv_is_told_without_the_words_of_a_command(
    user: User, tmp_path: Path
) -> None:
    path = tmp_path / "playlist.csv"
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(ImportFailedError, match="no text that Storify can read") as refused:
        take(user, path)
    assert "--" not in str(refused.value)


def test_a_file_that_is_no_list_of_tracks_says_what_to_choose(user: User, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(ImportFailedError, match="column of Spotify links") as refused:
        take(user, path)
    assert "--" not in str(refused.value)
