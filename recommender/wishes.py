"""What a person said of music, as conditions and columns of the query for candidates."""

from __future__ import annotations

from typing import Any

from recommender.models import MusicPreferences

# Every condition lets all through where nothing was said. What a track does not tell of itself it
# cannot be chosen by; only the explicit flag counts as unset where it is unknown.
ALLOWED = """(
    (%(allow_explicit)s OR explicit IS NOT TRUE)
    AND (cardinality(%(genres)s::text[]) = 0 OR genre_family = ANY(%(genres)s::text[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (%(year_from)s::int IS NULL OR release_year >= %(year_from)s::int)
    AND (%(year_to)s::int IS NULL OR release_year <= %(year_to)s::int))"""
# 0, 1 or 2: whether genre and language are among those that the person likes.
LIKED = """(
    (genre_family = ANY(%(liked_genres)s::text[]))::int
    + (language = ANY(%(liked_languages)s::text[]))::int)"""


def parameters(said: MusicPreferences) -> dict[str, Any]:
    """What ALLOWED and LIKED are to be run with."""
    names = ("allow_explicit", "genres", "languages", "year_from", "year_to")
    return {name: getattr(said, name) for name in (*names, "liked_genres", "liked_languages")}
