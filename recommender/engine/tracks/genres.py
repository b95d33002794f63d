"""Group genre names into a few families that people can choose from."""

from __future__ import annotations

import re
from functools import lru_cache

FAMILIES = (
    "pop",
    "rock",
    "hip hop",
    "electronic",
    "r&b and soul",
    "latin",
    "country and folk",
    "jazz and blues",
    "classical",
    "reggae",
    "ambient",
)

# The first match wins: "latin hip hop" is hip hop, "dance pop" is pop.
_EXPRESSIONS = (
    ("classical", r"classical|chamber|orchestr|baroque(?! pop)|opera|symphon|piano(?! rock)|early"),
    ("jazz and blues", r"jazz|blues(?! rock)|swing|bebop|big band|bossa"),
    ("hip hop", r"hip ?hop|\bhip\b|rap\b|drill|grime|\btrap|crunk|g funk|boom bap|hyphy|bounce"),
    ("reggae", r"reggae(?!ton)|dancehall|\bska\b|dub\b|soca"),
    (
        "latin",
        r"latin|reggaeton|bachata|salsa|perreo|banda|corrido|cumbia|sertanejo|arrocha|mpb|samba"
        r"|tango|forro|pagode|dembow|mariachi|norteno|ranchera|merengue|boricua|brazil|flamenco",
    ),
    ("country and folk", r"country|folk|bluegrass|americana|singer songwriter|acoustic|celtic"),
    ("ambient", r"ambient|new age|meditation|sleep|drone|lo ?fi|chill ?hop|easy listening"),
    ("rock", r"rock|metal|punk|grunge|\bemo\b|hardcore|permanent wave|shoegaze|goth|industrial"),
    ("r&b and soul", r"\br (and )?b\b|rnb|soul|funk|motown|gospel|quiet storm|urban contemporary"),
    (
        "pop",
        r"pop\b|\bopm\b|boy band|girl group|idol|anime|eurovision|adult standards|hollywood"
        r"|talent show|neo mellow|mellow gold|canto|mando|schlager|iskelma|show ?tunes|disney",
    ),
    (
        "electronic",
        r"electro|edm|house|techno|trance|step\b|big room|complextro|dance|disco|drum and bass"
        r"|bass|wave|downtempo|trip ?hop|garage|breakbeat|hardstyle|club|idm|room",
    ),
    ("rock", r"indie|alternative|alt\b"),
)
_PATTERNS = tuple((family, re.compile(expression)) for family, expression in _EXPRESSIONS)


@lru_cache(maxsize=10_000)
def family(genre: str) -> str:
    """The family of a source's genre name, one of FAMILIES; "" if none matches."""
    plain = re.sub(r"[\W_]+", " ", genre.casefold().replace("&", " and ")).strip()
    return next((name for name, pattern in _PATTERNS if pattern.search(plain)), "")
