"""The order in which a track's values travel to the database."""

from __future__ import annotations

# Columns that a file or a recipe brings; null leaves what is known as it is.
COLUMNS = (
    "source_id",
    "title",
    "artists",
    "album",
    "release_date",
    "genre",
    "popularity",
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
    "duration_ms",
    "song_key",
    "search_text",
    "recipe",
    "id",
)
