"""The languages that songs are sung in, as ISO 639 codes."""

from __future__ import annotations

import re

# "zxx" is the standard's own code for "no linguistic content".
INSTRUMENTAL = "zxx"
NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pa": "Punjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
    "zu": "Zulu",
    INSTRUMENTAL: "No words (instrumental)",
}
CODES = tuple(NAMES)
_READ_AS = {
    **{name.casefold(): code for code, name in NAMES.items()},
    "instrumental": INSTRUMENTAL,
    "nb": "no",
    "nn": "no",
    "iw": "he",
    "fil": "tl",
}
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]\w+)*")


def language_code(text: str) -> str:
    """The code of a language given as "en", "en-US" or "English"; "" where it is not known."""
    plain = text.strip().casefold()
    tag = _TAG.fullmatch(plain)
    if tag and tag.group(1) in NAMES:
        return tag.group(1)
    return _READ_AS.get(plain) or (_READ_AS.get(tag.group(1), "") if tag else "")


def language_name(code: str) -> str:
    """The language's English name; the code itself where there is none."""
    return NAMES.get(code, code)
