"""What a person may get, and said of music, as parts of the query for candidates."""

from __future__ import annotations

from typing import Any

from recommender.catalogue import demo_tracks
from recommender.catalogue.languages import CODES
from recommender.engine.tracks.genres import FAMILIES
from recommender.models import MusicPreferences

# Every condition lets all through where nothing was said. What a track does not tell of itself it
# cannot be chosen by; only the explicit flag counts as unset where it is unknown.
ALLOWED = f"""(
    {demo_tracks.USED} AND (%(allow_explicit)s OR explicit IS NOT TRUE)
    AND (cardinality(%(genres)s::text[]) = 0 OR genre_family = ANY(%(genres)s::text[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (%(year_from)s::int IS NULL OR release_year >= %(year_from)s::int)
    AND (%(year_to)s::int IS NULL OR release_year <= %(year_to)s::int))"""
# 0, 1 or 2: whether genre and language are among those that the person likes.
LIKED = """(
    (genre_family = ANY(%(liked_genres)s::text[]))::int
    + (language = ANY(%(liked_languages)s::text[]))::int)"""


# The same of a row of TrackFactor, which has the kinds as codes.
LIKED_BY_CODE = """(
    (genre_code = ANY(%(liked_genre_codes)s::int2[]))::int
    + (language_code = ANY(%(liked_language_codes)s::int2[]))::int)"""
_GENRES = {name: code for code, name in enumerate(FAMILIES)}
_LANGUAGES = {name: code for code, name in enumerate(CODES)}


def genre_code(family: str) -> int:
    """The number of a family of genres in TrackFactor; -1 where it is unknown."""
    return _GENRES.get(family, -1)


def language_code(language: str) -> int:
    """The number of a language in TrackFactor; -1 where it is unknown."""
    return _LANGUAGES.get(language, -1)


def likes_some(said: MusicPreferences) -> bool:
    """Whether the person named any kind of music that they like."""
    return bool(said.liked_genres or said.liked_languages)


def parameters(said: MusicPreferences) -> dict[str, Any]:
    """What ALLOWED, LIKED and LIKED_BY_CODE are to be run with."""
    names = ("allow_explicit", "genres", "languages", "year_from", "year_to")
    return {
        **{name: getattr(said, name) for name in (*names, "liked_genres", "liked_languages")},
        "liked_genre_codes": [genre_code(name) for name in said.liked_genres],
        "liked_language_codes": [language_code(name) for name in said.liked_languages],
    }
