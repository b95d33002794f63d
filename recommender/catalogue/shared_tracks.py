"""The one rule of which tracks may teach: only those that everybody shares.

Tracks that came from somebody's Spotify (`Track.Source.SPOTIFY`) are private. They are candidates
only for people whose library holds them, and nothing else reads them: no factors, weights, trends,
co-saves, save counts, search, vocabulary or intensity classes. Spotify's terms ask for that, see
docs/decisions/0005-spotify-policy-by-design.md.

Everything that suggests, searches, counts or learns for more than one person uses these conditions.
They include the rule of which demo tracks are in use.
"""

from __future__ import annotations

from django.db.models import Q

from recommender.catalogue import demo_tracks
from recommender.models import SHARED as SHARED_TRACKS
from recommender.models import Track

# SQL conditions on a track row and on a column with a track id; run those named USED with
# `demo_tracks.parameters`.
SHARED = f"source <> '{Track.Source.SPOTIFY.value}'"
USED = f"({SHARED} AND {demo_tracks.USED})"


def shared(path: str = "") -> Q:
    """A filter for shared tracks, or for rows that refer to one by `path` ("track__")."""
    return ~Q(**{f"{path}source": Track.Source.SPOTIFY}) if path else SHARED_TRACKS


def used(path: str = "") -> Q:
    """A filter for shared tracks in use."""
    return shared(path) & demo_tracks.used(path)


def used_by_id(column: str) -> str:
    """USED for a column that holds a track id."""
    return f"EXISTS (SELECT FROM recommender_track WHERE id = {column} AND {USED})"
