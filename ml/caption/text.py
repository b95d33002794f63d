"""What is written in a caption: cleaned, with emoji and hashtags in words, and cut into words."""

import re
import unicodedata
import zlib
from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]

LONGEST = 600
"""Characters that are read of a caption: its mood does not wait longer, and the time is bounded."""

_HASHTAG = re.compile(r"[#＃](\w+)")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@[\w.]+")
_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])|_+|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_EMOTICON = r"[:;=8][-o']?[)(\]\[dp/\\|*o]|<3+|\^_?\^|[)(]:"
_TOKEN = re.compile(rf"{_EMOTICON}|[\w]+|[!?]+|\.{{3,}}")
# Words of Unicode's names that say how a sign is drawn (❤ is "heavy black heart").
_IN_MANY_NAMES = {"heavy", "black", "white", "face", "with", "sign", "symbol"}
_STRETCHED = re.compile(r"(.)\1{2,}")


def clean(caption: str) -> str:
    """Return the caption without control characters and surplus blanks, cut to LONGEST."""
    valid = caption[: 4 * LONGEST].encode("utf-8", "ignore").decode()
    printable = "".join(char if char.isprintable() else " " for char in valid)
    return " ".join(printable.split())[:LONGEST]


def readable(caption: str) -> str:
    """Return the cleaned caption with hashtags as words and every emoji followed by its name.

    The names are Unicode's, in English; tones of skin and web addresses are left out. Repeated
    emoji are named once.
    """
    text = _HASHTAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]), clean(_ADDRESS.sub(" ", caption)))
    seen: set[str] = set()
    return " ".join("".join(_spelt(char, seen) for char in text).split())[:LONGEST]


def _spelt(char: str, seen: set[str]) -> str:
    name = emoji_name(char)
    if name is None:
        return char
    if name in seen or not name:
        return " "
    seen.add(name)
    return f" {char} {name} "


@cache
def emoji_name(char: str) -> str | None:
    """Return an emoji's name in lower case, "" of one that only changes another, else None."""
    if 0x1F3FB <= ord(char) <= 0x1F3FF or 0x1F1E6 <= ord(char) <= 0x1F1FF or char in "♀♂\ufe0f":
        return ""
    if unicodedata.category(char) != "So" or ord(char) < 0x2190:
        return None
    words = unicodedata.name(char, "").lower().replace("-", " ").split()
    return " ".join(word for word in words if word not in _IN_MANY_NAMES)


def tokens(caption: str) -> list[str]:
    """Return the words, emoticons and marks of a readable caption, in lower case.

    Apostrophes are dropped (don't is dont), letters that are stretched are written twice.
    """
    plain = re.sub(r"['’`]", "", readable(caption).lower())
    return [_STRETCHED.sub(r"\1\1", token) for token in _TOKEN.findall(plain)]


def hashed(words: Iterable[str]) -> Hashes:
    """Return the 32-bit hashes of words, in their order."""
    return np.fromiter((zlib.crc32(word.encode()) for word in words), dtype=np.uint32)
