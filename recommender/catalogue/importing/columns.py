"""The columns of a bulk upsert of tracks, in order."""

from __future__ import annotations

# In Spotify's names and order.
AUDIO_FEATURES = (
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "time_signature",
)

# Columns that a file or a demo recipe can set; null keeps the stored value.
COLUMNS = (
    "source_id",
    "isrc",
    "title",
    "artists",
    "album",
    "release_date",
    "release_year",
    "genre",
    "genre_family",
    "language",
    "explicit",
    "popularity",
    *AUDIO_FEATURES,
    "duration_ms",
    "song_key",
    "search_text",
    "recipe",
    "id",
)
