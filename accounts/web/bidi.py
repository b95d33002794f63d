"""Isolation of user-supplied text where only plain text is possible: attributes and messages.

Elsewhere, templates use `<bdi>` or an element with `dir="auto"`.
"""

from __future__ import annotations

import re
import unicodedata

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolate(text: str) -> str:
    """Isolate the text's direction from its surroundings; left-to-right text is unchanged.

    Direction marks in the text are removed, because an unbalanced one would end the isolation.
    """
    plain = _CONTROLS.sub("", text)
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in plain):
        return plain
    return f"{_FIRST_STRONG_ISOLATE}{plain}{_POP_ISOLATE}"
