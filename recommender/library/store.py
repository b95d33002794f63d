"""Write tracks into a person's library.

A private track is a row of its own, `Track.Source.SPOTIFY`, even where the shared catalogue has the
same song: so its source alone decides that it teaches nothing (`catalogue.shared_tracks`). Its row
is shared by the people who have it, and gone with the last of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.catalogue.feature_providers import ImportedFeatures
from recommender.engine.tracks.derived import derived_columns
from recommender.locks import lock_person
from recommender.models import FeatureMiss, LibraryTrack, Track

# Read again every week; what could not be read again goes after this.
LIFETIME = timedelta(days=30)
Source = LibraryTrack.Source
FROM_SPOTIFY = (Source.SAVED, Source.TOP, Source.RECENT, Source.PLAYLIST)
# Of what is stored, these may replace something: a file fills a row whose metadata has expired, and
# ReccoBeats knows better than a file, whose rows have no link from Spotify.
_REPLACED_BY = {Source.IMPORT: {"title": ""}, Source.RECOMMENDED: {"spotify_url": ""}}
# JSON can hold NUL and halves of a pair; PostgreSQL's texts can't.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ALWAYS_KNOWN = ("title", "artists", "song_key", "search_text")
_PLACE = """
UPDATE recommender_librarytrack AS held SET valence = track.valence, energy = track.energy
FROM recommender_track AS track
WHERE track.id = held.track_id AND track.id = ANY(%(tracks)s::uuid[])
    AND (held.valence, held.energy) IS DISTINCT FROM (track.valence, track.energy)
"""


@dataclass(frozen=True)
class Found:
    """A track as a source of the library describes it."""

    spotify_id: str
    title: str
    artists: Sequence[str]
    rank: int | None = None
    added_at: datetime | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of the track that the source knows, the same for all its tracks."""


@atomic_with_retry
def store_tracks(
    *,
    user: User,
    source: str,
    found: Iterable[Found],
    expires_at: datetime,
    range: str = "",
) -> list[UUID]:
    """Add these tracks to the person's library until `expires_at`; return the tracks' ids.

    Of one id that comes twice the first counts. What Spotify says replaces what is stored, and what
    ReccoBeats says what a file said; a file must not change what others see of a track.
    """
    if lock_person(user.pk) is None:
        return []
    first = {item.spotify_id: item for item in reversed([*found])}
    ids = _write_tracks(first, expires_at, source)
    LibraryTrack.objects.bulk_create(
        [
            LibraryTrack(
                user=user,
                source=source,
                range=range,
                track_id=track_id,
                rank=first[spotify_id].rank,
                added_at=first[spotify_id].added_at,
                expires_at=expires_at,
                song_key=song_key,
                valence=valence,
                energy=energy,
            )
            for spotify_id, (track_id, song_key, valence, energy) in ids.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "track", "source", "range"],
        update_fields=["rank", "added_at", "expires_at", "song_key", "valence", "energy"],
    )
    return [track_id for track_id, *_ in ids.values()]


def place_tracks(*, track_ids: Iterable[UUID]) -> None:
    """Copy the mood of these tracks to the libraries that hold them."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, {"tracks": sorted(track_ids)})


def forget_catalogue_misses(tracks: QuerySet[Track]) -> None:
    """Let the catalogue be asked again for the features of tracks that just gained an ISRC."""
    FeatureMiss.objects.filter(provider=ImportedFeatures.name, track__in=tracks).delete()


def _write_tracks(
    found: Mapping[str, Found], expires_at: datetime, source: str
) -> dict[str, tuple[UUID, str, float | None, float | None]]:
    """Add or update the private tracks; return id, song and mood of each by its Spotify id."""
    rows = [_track(found[spotify_id], expires_at) for spotify_id in sorted(found)]
    stored = Track.objects.filter(source=Track.Source.SPOTIFY, source_id__in=[*found])
    if source not in FROM_SPOTIFY:
        Track.objects.bulk_create(rows, ignore_conflicts=True)
        weak = stored.filter(**_REPLACED_BY[Source(source)]).select_for_update(no_key=True)
        replaced = {track.source_id for track in weak.order_by("source_id")}
        rows = [row for row in rows if row.source_id in replaced]
    without_isrc = {track.source_id for track in stored.filter(isrc="")}
    Track.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["source", "source_id"],
        update_fields=[*_ALWAYS_KNOWN, *_known(found)],
    )
    forget_catalogue_misses(stored.filter(source_id__in=without_isrc).exclude(isrc=""))
    # Somebody else's may have longer to live.
    stored.update(expires_at=Greatest("expires_at", Value(expires_at)))
    known = stored.values_list("source_id", "pk", "song_key", "valence", "energy")
    return {spotify_id: values for spotify_id, *values in known}  # type: ignore[misc]


def _known(found: Mapping[str, Found]) -> set[str]:
    """The columns that these know beyond the title; what they don't know stays as it is."""
    known = {name for item in found.values() for name in item.about}
    return known | {"release_year"} if "release_date" in known else known


def _track(item: Found, expires_at: datetime) -> Track:
    about = {name: _storable(value) for name, value in item.about.items()}
    title, artists = _storable(item.title), [_storable(name) for name in item.artists]
    release_date = about.get("release_date") or ""
    derived = derived_columns(title=title, artists=artists, release_date=release_date)
    return Track(
        source=Track.Source.SPOTIFY,
        source_id=item.spotify_id,
        title=title,
        artists=artists,
        expires_at=expires_at,
        **{**about, **derived},
    )


def _storable(value: Any) -> Any:
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else value
