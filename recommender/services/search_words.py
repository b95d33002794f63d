"""Maintain the search vocabulary: every word of titles and artists, for spelling correction."""

from __future__ import annotations

from django.db import connection, transaction

from recommender.catalogue.shared_tracks import SHARED
from recommender.engine.tracks.spelling import LONGEST_WORD, trigrams
from recommender.models import SearchWord, Track

# The same trigrams as engine.tracks.spelling.trigrams.
_LEARN = """
INSERT INTO recommender_searchword (word, trigrams)
SELECT word, ARRAY(
    SELECT DISTINCT substr('  ' || word || ' ', place, 3)
    FROM generate_series(1, char_length(word) + 1) AS place)
FROM (SELECT DISTINCT unnest(string_to_array(search_text, ' ')) AS word FROM {table}) AS used
WHERE char_length(word) BETWEEN 1 AND {longest}
ON CONFLICT DO NOTHING
"""
_SHARED = f"(SELECT search_text FROM recommender_track WHERE {SHARED}) AS shared"  # noqa: S608
_FORGET = f"""
WITH used AS (
    SELECT DISTINCT unnest(string_to_array(search_text, ' ')) AS word FROM {_SHARED}
)
DELETE FROM recommender_searchword AS known
WHERE NOT EXISTS (SELECT FROM used WHERE used.word = known.word)
"""  # noqa: S608


def learn_words(table: str) -> None:
    """Add the words of a table that has a column `search_text`."""
    with connection.cursor() as cursor:
        cursor.execute(_LEARN.format(table=table, longest=LONGEST_WORD))


def learn_words_of(*, track: Track) -> None:
    """Add the words of one track, unless it's private."""
    if not track.is_shared:
        return
    words = {word for word in track.search_text.split() if len(word) <= LONGEST_WORD}
    SearchWord.objects.bulk_create(
        [SearchWord(word=word, trigrams=trigrams(word)) for word in words],
        ignore_conflicts=True,
    )


@transaction.atomic
def refresh_words() -> int:
    """Delete words that no shared track uses and add missing ones; return the number deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        forgotten = int(cursor.rowcount)
    learn_words(_SHARED)
    return forgotten
