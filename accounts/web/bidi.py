"""Words from outside among words of ours, where only plain text can be: attributes, messages.

Elsewhere templates put them into `<bdi>` or an element with `dir="auto"`.
"""

from __future__ import annotations

import re
import unicodedata

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolate(text: str) -> str:
    """The text so that what surrounds it keeps its direction; unchanged where it does anyway.

    Marks that set a direction by hand are taken out: one too many would end the isolation.
    """
    plain = _CONTROLS.sub("", text)
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in plain):
        return plain
    return f"{_FIRST_STRONG_ISOLATE}{plain}{_POP_ISOLATE}"
