"""Normalise titles and artist names so that equal songs compare equal."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

# Editions of one recording. "Live", "Remix" and "Acoustic" are other recordings and stay.
_EDITION = re.compile(
    r"\b(?:\d{4}\s+)?(?:digital(?:ly)?\s+)?re-?master(?:ed)?(?:\s+\d{4})?(?:\s+version)?\b"
    r"|\b(?:radio edit|single version|album version|original mix|mono|stereo|deluxe|explicit)\b"
)
_GUESTS = re.compile(r"\b(?:feat|ft|featuring|with)\b\.?\s.*")
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_NOT_WORDS = re.compile(r"[^\w]+")
_BETWEEN_ARTISTS = re.compile(r"\s*[;,/]\s*|\s+&\s+|\s+(?:feat|ft|featuring|with|x)\b\.?\s+", re.I)


def fold(text: str) -> str:
    """Lower case without accents or punctuation, one space between words."""
    plain = text.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _NOT_WORDS.sub(" ", plain).strip()


def _without_edition(title: str) -> str:
    def keep(match: re.Match[str]) -> str:
        inside = match.group(1)
        return "" if _GUESTS.match(inside) or _EDITION.search(inside) else f" {inside} "

    bare = _BRACKETS.sub(keep, title.casefold())
    head, *tails = re.split(r"\s+-\s+", bare)
    kept = [tail for tail in tails if not (_EDITION.search(tail) or _GUESTS.match(tail))]
    return " ".join([re.sub(r"\s(?:feat|ft|featuring)\b\.?\s.*", "", head), *kept])


def artist_keys(artists: Iterable[str]) -> frozenset[str]:
    """The folded names of all artists; joint credits such as "A & B feat. C" are split.

    A name with a comma in it is split as well, but always in the same way, so it still compares
    equal to itself.
    """
    return frozenset(key for artist in artists for key in _credited(artist))


@lru_cache(maxsize=20_000)
def _credited(artist: str) -> frozenset[str]:
    return frozenset(key for key in map(fold, _BETWEEN_ARTISTS.split(artist)) if key)


def song_key(title: str, artists: Sequence[str]) -> str:
    """32 hex digits, equal for the same title by the same first artist under any id."""
    first = _BETWEEN_ARTISTS.split(artists[0])[0] if artists else ""
    name = fold(_without_edition(title)) or title.strip()
    text = f"{name}|{fold(first) or first}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def search_text(title: str, artists: Sequence[str]) -> str:
    """The searchable text: title and artists, folded."""
    return fold(" ".join([title, *artists]))
