"""The columns of a track that follow from its others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from recommender.engine.tracks.genres import family
from recommender.engine.tracks.song_keys import search_text, song_key


class DerivedColumns(TypedDict):
    """What is stored beside title, artists, genre and release date."""

    song_key: str
    search_text: str
    genre_family: str
    release_year: int | None


def derived_columns(
    *, title: str, artists: Sequence[str], genre: str = "", release_date: str = ""
) -> DerivedColumns:
    """Compute the derived columns.

    `genre` is as the source names it; `release_date` is "", 2004, 2004-07 or 2004-07-05.
    """
    return {
        "song_key": song_key(title, artists),
        "search_text": search_text(title, artists),
        "genre_family": family(genre),
        "release_year": int(release_date[:4]) if release_date else None,
    }
