"""Languages of lyrics as ISO 639 codes."""

from __future__ import annotations

import re

# "zxx" is the ISO code for "no linguistic content".
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
_ALIASES = {
    **{name.casefold(): code for code, name in NAMES.items()},
    "instrumental": INSTRUMENTAL,
    "nb": "no",
    "nn": "no",
    "iw": "he",
    "fil": "tl",
}
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]\w+)*")


def parse_language(text: str) -> str:
    """The code of a language given as "en", "en-US" or "English"; "" if unknown."""
    plain = text.strip().casefold()
    tag = _TAG.fullmatch(plain)
    if tag and tag.group(1) in NAMES:
        return tag.group(1)
    return _ALIASES.get(plain) or (_ALIASES.get(tag.group(1), "") if tag else "")


def language_name(code: str) -> str:
    """The English name of a language, or the code itself if unknown."""
    return NAMES.get(code, code)
