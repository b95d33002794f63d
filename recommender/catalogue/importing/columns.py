"""The order in which a track's values travel to the database."""

from __future__ import annotations

# As Spotify names and orders them.
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

# Columns that a file or a recipe brings; null leaves what is known as it is.
COLUMNS = (
    "source_id",
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
