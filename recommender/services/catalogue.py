"""The tracks themselves: the demo catalogue, and what may no longer be kept."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from recommender.demo.catalogue import DemoTrack, demo_tracks
from recommender.engine.genres import family
from recommender.engine.songs import search_text, song_key
from recommender.importing.columns import COLUMNS
from recommender.languages import INSTRUMENTAL
from recommender.models import Track
from recommender.services.bulk import Row, Written, write_tracks


def load_demo_catalogue() -> Written:
    """Add the project's own tunes, or bring them up to date."""
    return write_tracks(source=Track.Source.DEMO, rows=_demo_rows())


@transaction.atomic
def expire_tracks() -> int:
    """Remove cached Spotify descriptions past their time; returns how many.

    A track that somebody saved keeps its id, so that Spotify's own player still shows it.
    """
    expired = Track.objects.filter(source=Track.Source.SPOTIFY, expires_at__lte=timezone.now())
    removed, _ = expired.filter(choices__isnull=True).delete()
    saved = expired.exclude(title="")
    blanked = saved.update(
        **dict.fromkeys(("title", "album", "artwork_url", "spotify_url", "search_text"), ""),
        **dict.fromkeys(("genre", "genre_family", "language", "release_date"), ""),
        artists=[],
        release_year=None,
        explicit=None,
    )
    return removed + blanked


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
        "genre_family": family(track.genre),
        "language": INSTRUMENTAL,
        "explicit": False,
        "duration_ms": track.duration_ms,
        "recipe": Jsonb(track.recipe.to_json()),
        "song_key": song_key(track.title, [track.artist]),
        "search_text": search_text(track.title, [track.artist]),
    }
