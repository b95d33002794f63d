"""Spelling correction: trigrams to find similar words, and edit distances to rank them.

A word is padded with two spaces before and one after and split into trigrams as PostgreSQL's
pg_trgm does; similar words share many trigrams.
"""

from __future__ import annotations

LONGEST_WORD = 40
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def trigrams(word: str) -> list[str]:
    """The unique trigrams of a word of n letters, at most n + 1, in order."""
    padded = f"  {word} "
    return [*dict.fromkeys(padded[i : i + 3] for i in range(len(padded) - 2))]


def one_slip_from(word: str) -> set[str]:
    """The word with one letter deleted, inserted, replaced or swapped with its neighbour.

    Uses all Latin letters and digits for ASCII words, else only the word's own letters.
    """
    letters = {*_LETTERS} if word.isascii() else {*word}
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    without = {head + tail[1:] for head, tail in cuts if tail}
    exchanged = {head + c + tail[1:] for head, tail in cuts if tail for c in letters}
    inserted = {head + c + tail for head, tail in cuts for c in letters}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return (without | exchanged | inserted | swapped) - {word, ""}


def edits(one: str, other: str, limit: int) -> int:
    """The restricted Damerau-Levenshtein distance (Damerau 1964), capped at limit + 1.

    Counts letters inserted, deleted, replaced or swapped with their neighbour.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    above: list[int] = []
    row = [*range(len(other) + 1)]
    for i, letter in enumerate(one, start=1):
        before, above, row = above, row, [i]
        for j, against in enumerate(other, start=1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
    return min(int(row[-1]), limit + 1)


def halves(word: str) -> list[tuple[str, str]]:
    """The ways to split a word in two where a space may be missing."""
    return [(word[:i], word[i:]) for i in range(1, len(word)) if len(word) >= 4]
