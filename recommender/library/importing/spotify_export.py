"""Read the JSON files of Spotify's data export as streams.

YourLibrary.json              {"tracks": [{"artist", "album", "track", "uri"}], …}
Playlist1.json                {"playlists": [{"name", "items": [{"track": {"trackName",
                              "artistName", "albumName", "trackUri"}, "addedDate"}]}]}
StreamingHistory_music_0.json [{"endTime", "artistName", "trackName", "msPlayed"}]
Streaming_History_Audio_….json, of the extended history (before 2023 endsong_0.json):
                              [{"ts", "ms_played", "spotify_track_uri",
                              "master_metadata_track_name", "master_metadata_album_artist_name"}]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, BinaryIO

import ijson

from recommender.catalogue.importing.track_ids import track_id
from recommender.errors import ImportFailedError
from recommender.library.importing.bounded_json import BoundedJson
from recommender.library.importing.items import Item

LIBRARY = re.compile(r"YourLibrary\.json", re.IGNORECASE)
PLAYLISTS = re.compile(r"Playlist\d*\.json", re.IGNORECASE)
HISTORY = re.compile(
    r"StreamingHistory(_music_)?\d*\.json|(Streaming_History_Audio|endsong)_[^/]*\.json",
    re.IGNORECASE,
)
# A shorter play says nothing: Spotify counts one from here on, too.
LEAST_MS = 30_000
MOST_PLAYED = 1000
MOST_COUNTED = 100_000
_LONGEST = 1000
_ALBUM = "master_metadata_album_album_name"
Opener = Callable[[], AbstractContextManager[BinaryIO]]
Row = dict[str, Any]


def library_items(file: BinaryIO) -> Iterator[Item]:
    """The saved tracks of YourLibrary.json."""
    for row in _rows(file, "tracks.item", "YourLibrary.json"):
        yield _item("library", *(row.get(name) for name in ("track", "artist", "album", "uri")))


def playlist_items(file: BinaryIO) -> Iterator[Item]:
    """The tracks on all playlists of Playlist1.json; no episodes and local files."""
    for row in _rows(file, "playlists.item.items.item", "Playlist.json"):
        track = row.get("track")
        if isinstance(track, dict):
            title, artist = track.get("trackName"), track.get("artistName")
            album, uri = track.get("albumName"), track.get("trackUri")
            yield _item("playlists", title, artist, album, uri, added=row.get("addedDate"))


def history_items(files: Iterable[Opener]) -> Iterator[Item]:
    """The most played tracks of a streaming history, most played first.

    Each file is read twice: first only plays are counted, so that a long history needs little
    memory, then the tracks that count are described.
    """
    openers = [*files]
    chosen = _most_played(openers)
    described: dict[int, Item] = {}
    for row in _plays(openers):
        if (play := _play(row)) in chosen and play not in described:
            described[play] = _item(
                "history", _title(row), _artist(row), row.get(_ALBUM), row.get("spotify_track_uri")
            )
    yield from (described[play] for play in chosen)


def _most_played(openers: Iterable[Opener]) -> dict[int, None]:
    """The tracks played most, in this order.

    Where a history has very many different ones, those played least so far are forgotten.
    """
    plays: Counter[int] = Counter()
    for row in _plays(openers):
        plays[_play(row)] += 1
        if len(plays) > 2 * MOST_COUNTED:
            plays = Counter(dict(plays.most_common(MOST_COUNTED)))
    return dict.fromkeys(play for play, _ in plays.most_common(MOST_PLAYED))


def _plays(openers: Iterable[Opener]) -> Iterator[Row]:
    """Every play that was long enough, of something with a title."""
    for opener in openers:
        with opener() as file:
            for row in _rows(file, "item", "The streaming history"):
                played = row.get("msPlayed", row.get("ms_played"))
                if isinstance(played, int) and played >= LEAST_MS and _title(row):
                    yield row


def _play(row: Row) -> int:
    """Equal for plays of the same track; a number takes little memory."""
    return hash((_text(row.get("spotify_track_uri")), _title(row), _artist(row)))


def _title(row: Row) -> str:
    return _text(row.get("trackName") or row.get("master_metadata_track_name"))


def _artist(row: Row) -> str:
    return _text(row.get("artistName") or row.get("master_metadata_album_artist_name"))


def _item(kind: str, title: Any, artist: Any, album: Any, uri: Any, **more: Any) -> Item:
    return Item(
        kind=kind,
        title=_text(title),
        artists=tuple(filter(None, [_text(artist)])),
        spotify_id=track_id(uri) or "",
        album=_text(album),
        added_at=_date(more.get("added")),
    )


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def _date(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None
    except (TypeError, ValueError):
        return None


def _rows(file: BinaryIO, path: str, name: str) -> Iterator[Row]:
    """The objects at a path of the document, one by one."""
    depth = path.count(".") + 1
    try:
        for row in ijson.items(BoundedJson(file, depth), path, use_float=True):
            if isinstance(row, dict):
                yield row
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
        raise ImportFailedError(
            f"{name} is damaged or incomplete. Download your data from Spotify again."
        ) from error
