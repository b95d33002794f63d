"""Typo-tolerant search for tracks.

PostgreSQL's text search finds correctly typed words. If it finds too little, each word is compared
with the catalogue's vocabulary (all words of titles and artists with their trigrams), and the
search runs again with the likely intended words. This needs no extension, so it works the same on
servers without pg_trgm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection
from django.db.models import F, QuerySet

from recommender.engine.tracks.spelling import LONGEST_WORD, edits, halves, one_slip_from, trigrams
from recommender.models import SearchWord, Track

MOST_WORDS = 8
COMPARED = 60
# Fewer results, or none for a long query, suggest a typo.
FEW = 5
# Shorter words with two typos are ambiguous.
TWO_SLIPS_FROM = 6
# With at least so many words, one may be entirely wrong.
FORGIVING_FROM = 3
RANKED = 200
_SIMILAR = """
SELECT word FROM recommender_searchword, unnest(trigrams) AS piece
WHERE trigrams && %(pieces)s::text[] AND piece = ANY(%(pieces)s::text[])
  AND char_length(word) BETWEEN %(shortest)s AND %(longest)s
GROUP BY word ORDER BY count(*) DESC, word LIMIT %(limit)s
"""

# Corrections of one typed word with their edit distances; a tuple of two is two words.
Meanings = Mapping[tuple[str, ...], int]


def find(tracks: QuerySet[Track], words: Sequence[str], limit: int) -> list[Track]:
    """Songs that match all folded `words`, most popular first, then near matches."""
    words = [word[:LONGEST_WORD] for word in words[:MOST_WORDS]]
    results = _songs(_holding(tracks, _all_of(words, {}))[: limit * 3])
    if len(results) < FEW and not (results and len(words) >= FORGIVING_FROM):
        results = _songs([*results, *_nearly(tracks, words)])
    return results[:limit]


def _nearly(tracks: QuerySet[Track], words: Sequence[str]) -> list[Track]:
    """Songs that match words similar to these, nearest first.

    Tries in turn: each word corrected; two neighbours joined; all words but one.
    """
    meant = _meanings(words)
    every = _all_of(words, meant)
    queries = [every, *(_all_of(variant, _meanings(variant)) for variant in _joined(words))]
    if len(words) >= FORGIVING_FROM:
        fewer = combinations(words, len(words) - 1)
        queries.append(" | ".join(_all_of(few, meant) for few in fewer))
    for query in queries:
        matches = _holding(tracks, query)[:RANKED]
        if matches:
            return sorted(matches, key=lambda track: _distance(track, meant))
    return []


def _holding(tracks: QuerySet[Track], query: str) -> QuerySet[Track]:
    matching = tracks.annotate(words=SearchVector("search_text", config="simple"))
    search_query = SearchQuery(query, search_type="raw", config="simple")
    return matching.filter(words=search_query).order_by(
        F("popularity").desc(nulls_last=True), "title", "id"
    )


def _all_of(words: Sequence[str], meant: Mapping[str, Meanings]) -> str:
    """The query for all these words, each as a typed prefix or a correction."""
    return f"({' & '.join(_any_of(word, meant.get(word, {})) for word in words)})"


def _any_of(word: str, meanings: Meanings) -> str:
    return f"({' | '.join([f'{word}:*', *(' & '.join(meaning) for meaning in meanings)])})"


def _meanings(words: Sequence[str]) -> dict[str, Meanings]:
    """Corrections for each word: one typo away, or else two typos or a missing space."""
    slips = {word: one_slip_from(word) for word in words}
    known = _known({other for others in slips.values() for other in others} | {*words})
    meanings: dict[str, Meanings] = {}
    for word in words:
        near = slips[word] & known
        if near or word in known:
            meanings[word] = {(other,): 1 for other in near}
        else:
            meanings[word] = _alike(word) or _known_pairs(word)
    return meanings


def _alike(word: str) -> Meanings:
    """Words two typos away, or one in scripts that `one_slip_from` doesn't cover."""
    slips = 2 if len(word) >= TWO_SLIPS_FROM else 0 if word.isascii() else 1
    if not slips:
        return {}
    values: dict[str, Any] = {
        "pieces": trigrams(word),
        "shortest": len(word) - slips,
        "longest": len(word) + slips,
        "limit": COMPARED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SIMILAR, values)
        off = {other: edits(word, other, slips) for (other,) in cursor.fetchall()}
    return {(other,): edit for other, edit in off.items() if edit <= slips}


def _known(words: set[str]) -> set[str]:
    return set(SearchWord.objects.filter(word__in=words).values_list("word", flat=True))


def _known_pairs(word: str) -> Meanings:
    pairs = halves(word)
    known = _known({part for pair in pairs for part in pair})
    return {pair: 1 for pair in pairs if known.issuperset(pair)}


def _joined(words: Sequence[str]) -> list[list[str]]:
    """The words with two neighbours joined, where the catalogue has that word."""
    pairs = range(len(words) - 1)
    variants = [[*words[:i], words[i] + words[i + 1], *words[i + 2 :]] for i in pairs]
    known = _known({variant[i] for i, variant in enumerate(variants)})
    return [variant for i, variant in enumerate(variants) if variant[i] in known]


def _distance(track: Track, meant: Mapping[str, Meanings]) -> int:
    """Typos between the query and this track; a missing word counts as three."""
    held = track.search_text.split()
    return sum(_slips(word, meanings, held) for word, meanings in meant.items())


def _slips(word: str, meanings: Meanings, held: Sequence[str]) -> int:
    if any(other.startswith(word) for other in held):
        return 0
    present = {*held}
    return min((n for words, n in meanings.items() if present.issuperset(words)), default=3)


def _songs(tracks: Iterable[Track]) -> list[Track]:
    """Each song once, in the order of its first id."""
    first: dict[str, Track] = {}
    for track in tracks:
        first.setdefault(track.song_key, track)
    return [*first.values()]
