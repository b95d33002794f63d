"""Load the demo catalogue and remove expired or unused tracks."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.transactions import atomic_with_retry
from recommender.catalogue.demo.catalogue import DemoTrack, demo_tracks
from recommender.catalogue.importing.columns import COLUMNS
from recommender.catalogue.languages import INSTRUMENTAL
from recommender.engine.tracks.derived import derived_columns
from recommender.models import Track
from recommender.services.bulk import Row, Written, write_tracks


def load_demo_catalogue() -> Written:
    """Add or update the demo tracks."""
    return write_tracks(source=Track.Source.DEMO, rows=_demo_rows())


@atomic_with_retry
def expire_tracks() -> int:
    """Delete expired Spotify metadata; return how many rows.

    A track that somebody saved keeps its id, so that Spotify's own player still shows it.
    """
    expired = Track.objects.filter(source=Track.Source.SPOTIFY, expires_at__lte=timezone.now())
    removed = delete_unused(tracks=expired.filter(choices__isnull=True))
    saved = expired.exclude(title="")
    blanked = saved.update(
        **dict.fromkeys(("title", "album", "artwork_url", "spotify_url", "search_text"), ""),
        **dict.fromkeys(("genre", "genre_family", "language", "release_date", "isrc"), ""),
        artists=[],
        release_year=None,
        explicit=None,
    )
    return removed + blanked


@atomic_with_retry
def delete_unused(*, tracks: QuerySet[Track]) -> int:
    """Delete these tracks, except those locked by another transaction; return how many rows."""
    free = tracks.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    removed, _ = tracks.filter(pk__in=[*free.values_list("pk", flat=True)]).delete()
    return removed


def _demo_rows() -> Iterator[Row]:
    for track in demo_tracks():
        values = _demo_values(track)
        yield Row(track.number, tuple(values.get(name) for name in COLUMNS))


def _demo_values(track: DemoTrack) -> dict[str, object]:
    return {
        **track.features,
        "id": track.id,
        "source_id": track.source_id,
        "title": track.title,
        "artists": [track.artist],
        "genre": track.genre,
        "language": INSTRUMENTAL,
        "explicit": False,
        "duration_ms": track.duration_ms,
        "recipe": Jsonb(track.recipe.to_json()),
        **derived_columns(title=track.title, artists=[track.artist], genre=track.genre),
    }
