"""Words that somebody may have meant: trigrams to find them by, edits to tell how far off they are.

A word is padded with two spaces before and one after and cut into pieces of three letters, as
PostgreSQL's pg_trgm does; words that share many pieces are near each other.
"""

from __future__ import annotations

LONGEST_WORD = 40
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def trigrams(word: str) -> list[str]:
    """The different pieces of a word of n letters, n + 1 at most, from its beginning to its end."""
    padded = f"  {word} "
    return [*dict.fromkeys(padded[i : i + 3] for i in range(len(padded) - 2))]


def one_slip_from(word: str) -> set[str]:
    """What the word would be without, with another, with an exchanged or a swapped letter.

    All of them for Latin letters and digits; in other scripts letters of the word itself only.
    """
    letters = {*_LETTERS} if word.isascii() else {*word}
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    without = {head + tail[1:] for head, tail in cuts if tail}
    exchanged = {head + c + tail[1:] for head, tail in cuts if tail for c in letters}
    inserted = {head + c + tail for head, tail in cuts for c in letters}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return (without | exchanged | inserted | swapped) - {word, ""}


def edits(one: str, other: str, limit: int) -> int:
    """Letters to insert, delete, replace or swap with their neighbour; limit + 1 where it is more.

    The restricted Damerau-Levenshtein distance (Damerau 1964), row by row.
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
    """The ways to read one word as two, where a space may have been forgotten."""
    return [(word[:i], word[i:]) for i in range(1, len(word)) if len(word) >= 4]
