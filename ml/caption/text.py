"""Clean captions: emoji and hashtags become words."""

import re
import unicodedata
from functools import cache

MAX_CHARACTERS = 600
"""Characters of a caption that are read, which bounds the time."""

_HASHTAG = re.compile(r"[#＃](\w+)")
_MEDIA = r"jpe?g|png|gif|webp|hei[cf]|avif|bmp|tiff?|dng|mp4|mov|m4v|avi|mkv|webm"
_ADDRESS = re.compile(
    r"(?i:(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{0,20}://|mailto:|www\.(?=\S)))\S*"  # phones write Https
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # of e-mail
    r"|[@＠][\w.]+"  # of a person
    r"|(?<![\w.#-])(?:[\w-]+\.)+(?:(?:com|org|net|io)(?![\w/])|[a-z]{2,}/\S*)"
    rf"|(?<![\w.-])(?:[\w-]+\.)*[\w-]+\.(?i:{_MEDIA})(?!\w)"  # of a file
    r"|(?<!\w)(?:IMG|DSC[NF_]?|PXL|VID|MVI)[_-]?\d[\w-]*"
    r"|\U0001f3f4[\U000e0020-\U000e007f]+"  # of a region: flags in tag characters
)
"""Addresses, mentions and file names, which carry no mood."""
_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])|_+|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_EMOTICON = r"[:;=8][-o']?[)(\]\[dp/\\|*o]|<3+|\^_?\^|[)(]:"
# Doesn't match parts of 18/12, (2018) or 8).
_FEELING = re.compile(rf"(?<!\w)(?!8)(?i:{_EMOTICON})(?!\w)")
# Zero-width characters within words, such as soft hyphens. U+200C isn't among them: in Persian it
# keeps the parts of a word apart, as a space does.
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x034F, 0x180E, 0x200B, 0x200D, *range(0x2060, 0x2065), 0xFEFF), ""
)
# Words in Unicode names that describe how a sign is drawn (❤ is "heavy black heart").
_IN_MANY_NAMES = {"heavy", "black", "white", "face", "with", "sign", "symbol"}


def clean(caption: str) -> str:
    """Return the caption without invisible characters and extra spaces, cut to MAX_CHARACTERS."""
    seen = caption.translate(_INVISIBLE)
    valid = seen[: 4 * MAX_CHARACTERS].encode("utf-8", "ignore").decode()
    printable = "".join(char if char.isprintable() else " " for char in valid)
    return " ".join(printable.split())[:MAX_CHARACTERS]


def readable(caption: str) -> str:
    """Return the text that every part of the network reads, "" if nothing is readable.

    That is the cleaned caption with hashtags as words and every emoji followed by its English
    Unicode name, once. Skin tones, flags, addresses, mentions and file names are left out.
    """
    text = _spelt_out(caption)
    return text if _says_something(text) else ""


def _says_something(text: str) -> bool:
    """Return whether the text has a word or an emoticon, not only signs, numbers and one letter."""
    letters = [char for char in text if unicodedata.category(char)[0] == "L"]
    # In scripts without capitals one letter may be a word: 愛, 빛, و.
    is_word = any(char.lower() == char.upper() for char in letters)
    return len(letters) > 1 or is_word or bool(_FEELING.search(text))


def _spelt_out(caption: str) -> str:
    text = _HASHTAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]), clean(_ADDRESS.sub(" ", caption)))
    seen: set[str] = set()
    return " ".join("".join(_spelt(char, seen) for char in text).split())[:MAX_CHARACTERS]


def _spelt(char: str, seen: set[str]) -> str:
    name = emoji_name(char)
    if name is None:
        return char
    if name in seen or not name:
        return " "
    seen.add(name)
    return f" {char} {name} "


_SILENT = {
    *(*range(0x1F3FB, 0x1F400), *range(0x1F1E6, 0x1F200)),  # skin tones, letters of flags
    *(*range(0xFE00, 0xFE10), *map(ord, "♀♂")),  # variation selectors
    *(
        *range(0x2500, 0x25A0),
        *range(0x2800, 0x2900),
    ),  # lines, blocks and Braille, the blank one too
    *map(ord, "\u115f\u1160\u3164\uffa0"),  # spaces that count as letters
}


@cache
def emoji_name(char: str) -> str | None:
    """Return an emoji's name in lower case, "" for a modifier or drawing sign, None for others."""
    if ord(char) in _SILENT:
        return ""
    if unicodedata.category(char) != "So" or ord(char) < 0x2190:
        return None
    words = unicodedata.name(char, "").lower().replace("-", " ").split()
    return " ".join(word for word in words if word not in _IN_MANY_NAMES)
