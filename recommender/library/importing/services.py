"""Import files into a person's private library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.engine.tracks.song_keys import song_key
from recommender.errors import ImportFailedError
from recommender.library.importing.archives import items_in
from recommender.library.importing.items import Item
from recommender.library.store import Found, store_tracks
from recommender.locks import lock_person
from recommender.models import LibraryTrack, Track

# A file can't be read again by itself, so it lasts longer than what is.
KEPT_FOR = timedelta(days=365)
MOST_TRACKS = 20_000
AT_ONCE = 500
ONLY_LINKS = (
    "The file has links or ids alone, and Storify's catalogue has none of these tracks. Choose one "
    "that names titles and artists, too, such as Exportify's."
)
T = TypeVar("T")


@dataclass
class LibraryReport:
    """What became of a file's tracks."""

    stored: int = 0
    """In the library now."""
    repeated: int = 0
    unknown: int = 0
    """Without an id, and not in the catalogue under their name."""
    nameless: int = 0
    """With an id alone that the catalogue doesn't have, so that nothing could be shown."""
    unreadable: int = 0
    beyond: int = 0
    """More than fit into a library."""
    kinds: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "kinds": dict(self.kinds)}


class ImportStoppedError(Exception):
    """The person deleted their music, or disconnected, while the file was read."""


def import_library(
    *, user: User, path: Path, name: str = "", is_wanted: Callable[[], bool] = lambda: True
) -> LibraryReport:
    """Add the tracks of a file to the person's library, as long as `is_wanted`.

    Nothing is stored unless the whole file can be read. Raises ImportFailedError and
    ImportStoppedError.
    """
    report = LibraryReport()
    found: dict[str, tuple[str, Found]] = {}
    for items in _batches(items_in(path, name), AT_ONCE):
        for kind, one in _found(items, report):
            _take(found, kind, one, report)
    if not found and not report.unknown:
        raise ImportFailedError(ONLY_LINKS if report.nameless else "The file holds no tracks.")
    expires_at = timezone.now() + KEPT_FOR
    for part in _batches(found.values(), AT_ONCE):
        _store(user, [one for _, one in part], expires_at, is_wanted)
    report.stored = len(found)
    report.kinds.update(kind for kind, _ in found.values())
    return report


@atomic_with_retry
def _store(
    user: User, found: list[Found], expires_at: datetime, is_wanted: Callable[[], bool]
) -> None:
    lock_person(user.pk)  # deleting the library waits for this part, or comes before it
    if not is_wanted():
        raise ImportStoppedError
    source = LibraryTrack.Source.IMPORT
    store_tracks(user=user, source=source, found=found, expires_at=expires_at)


def _take(
    found: dict[str, tuple[str, Found]], kind: str, one: Found, report: LibraryReport
) -> None:
    if one.spotify_id in found:
        report.repeated += 1
    elif len(found) >= MOST_TRACKS:
        report.beyond += 1
    else:
        found[one.spotify_id] = (kind, one)


def _found(items: Iterable[Item], report: LibraryReport) -> Iterator[tuple[str, Found]]:
    items = [*items]
    nameless = [item.spotify_id for item in items if item.spotify_id and not _is_named(item)]
    known = _catalogue(source_id__in=nameless)
    by_name = _ids_by_name([item for item in items if _is_named(item) and not item.spotify_id])
    for item in items:
        spotify_id = item.spotify_id or by_name.get(_song(item), "") or by_name.get(item.isrc, "")
        if spotify_id and _is_named(item):
            # Not the file's ISRC: it would choose the mood that everybody sees.
            about = {"album": item.album}
            yield item.kind, Found(spotify_id, item.title, item.artists, None, item.added_at, about)
        elif track := known.get(spotify_id):
            yield item.kind, Found(spotify_id, track.title, track.artists)
        elif _is_named(item):
            report.unknown += 1
        elif spotify_id:
            report.nameless += 1
        else:
            report.unreadable += 1


def _is_named(item: Item) -> bool:
    return bool(item.title and item.artists)


def _song(item: Item) -> str:
    return song_key(item.title, item.artists)


def _ids_by_name(items: Sequence[Item]) -> dict[str, str]:
    """Spotify ids of the shared catalogue by recording and by song."""
    songs = [_song(item) for item in items]
    codes = [item.isrc for item in items if item.isrc]
    by_song = {t.song_key: t.source_id for t in _catalogue(song_key__in=songs).values()}
    by_isrc = {t.isrc: t.source_id for t in _catalogue(isrc__in=codes).values()}
    return by_song | by_isrc


def _catalogue(**lookup: Any) -> dict[str, Track]:
    """Tracks of the shared catalogue that Spotify plays, by their ids there."""
    imported = Track.objects.filter(source=Track.Source.IMPORT, **lookup)
    return {track.source_id: track for track in imported if track.spotify_id}


def _batches(items: Iterable[T], n: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := [*islice(rest, n)]:
        yield part
