"""SQL conditions for a listener's filters and likes."""

from __future__ import annotations

from typing import Any

from recommender.catalogue import demo_tracks
from recommender.catalogue.languages import CODES
from recommender.engine.tracks.genres import FAMILIES
from recommender.models import MusicPreferences

# An unset filter lets every track through. A track with an unknown value fails a filter on it,
# except that an unknown explicit flag counts as not explicit. Which tracks are shared is another
# condition.
ALLOWED = f"""(
    {demo_tracks.USED} AND (%(allow_explicit)s OR explicit IS NOT TRUE)
    AND (cardinality(%(genres)s::text[]) = 0 OR genre_family = ANY(%(genres)s::text[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (%(year_from)s::int IS NULL OR release_year >= %(year_from)s::int)
    AND (%(year_to)s::int IS NULL OR release_year <= %(year_to)s::int))"""
# 0, 1 or 2: how many of genre and language the listener likes.
LIKED = """(
    (genre_family = ANY(%(liked_genres)s::text[]))::int
    + (language = ANY(%(liked_languages)s::text[]))::int)"""


# The same for a row of TrackFactor, which stores codes.
LIKED_BY_CODE = """(
    (genre_code = ANY(%(liked_genre_codes)s::int2[]))::int
    + (language_code = ANY(%(liked_language_codes)s::int2[]))::int)"""
_GENRES = {name: code for code, name in enumerate(FAMILIES)}
_LANGUAGES = {name: code for code, name in enumerate(CODES)}


def genre_code(family: str) -> int:
    """Return the code of a genre family in TrackFactor; -1 if unknown."""
    return _GENRES.get(family, -1)


def language_code(language: str) -> int:
    """Return the code of a language in TrackFactor; -1 if unknown."""
    return _LANGUAGES.get(language, -1)


def likes_some(preferences: MusicPreferences) -> bool:
    """Return whether any liked genre or language is set."""
    return bool(preferences.liked_genres or preferences.liked_languages)


def parameters(preferences: MusicPreferences) -> dict[str, Any]:
    """Return the query parameters of ALLOWED, LIKED and LIKED_BY_CODE."""
    names = ("allow_explicit", "genres", "languages", "year_from", "year_to")
    return {
        **{
            name: getattr(preferences, name) for name in (*names, "liked_genres", "liked_languages")
        },
        "liked_genre_codes": [genre_code(name) for name in preferences.liked_genres],
        "liked_language_codes": [language_code(name) for name in preferences.liked_languages],
    }
