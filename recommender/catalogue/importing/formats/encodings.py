"""Detect the encoding of a text file from samples."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from chardetng_py import EncodingDetector

from recommender.errors import ImportFailedError, UnknownEncodingError

UNREADABLE = "\ufffd"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 20
_HEAD = 4096
_SAMPLED_LINES = 4000
_LONGEST_SAMPLE = 2000
# Supersets of what the detector names, so that later additions to an encoding are read, too.
_SUPERSETS = {"shift_jis": "cp932", "euc-kr": "cp949", "gbk": "gb18030", "big5": "big5hkscs"}
# What spreadsheets on a Mac or under DOS write; the detector knows only the encodings of the web.
_OLD_PC = ("mac_roman", "cp850")
# Signs of a wrong encoding: marks within a word (vowel signs and accents aside), capitals after
# small letters, and Latin letters beside those of another alphabet.
_SIGNS = "’'´`·ªº\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0e31\u0e34-\u0e3a\u0e47-\u0e4e-"
_OTHER_ALPHABETS = "\u0370-\u06ff\u0e00-\u0e7f"
_OUT_OF_PLACE = re.compile(
    rf"(?<=[^\W\d_])(?![{_SIGNS}])[^\w\s\x00-\x7f](?=[^\W\d_])"
    r"|(?<=[a-zß-öø-ÿ])[À-ÖØ-ÞŠŽŒŸ]"
    rf"|(?<=[a-zA-Z])[{_OTHER_ALPHABETS}]|[{_OTHER_ALPHABETS}](?=[a-zA-Z])"
)
_MOST_OUT_OF_PLACE = 0.1


def codec_of(path: Path, wanted: str | None = None) -> str:
    """The codec by which Python reads the file; raises ImportFailedError if it can't be told.

    UTF-8 wins where most lines with other than ASCII characters are valid in it; single broken
    lines are the rows' matter then.
    """
    if wanted:
        return _known(wanted)
    with path.open("rb") as file:
        head = file.read(_HEAD)
        bom = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
        if codec := bom or _utf_16_without_mark(head):
            return codec
        file.seek(0)
        sample = list(islice(_non_ascii_lines(file), _SAMPLED_LINES))
    valid = sum(map(_is_utf_8, sample))
    return "utf-8" if 2 * valid >= len(sample) else _legacy(sample)


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ImportFailedError(f"There is no encoding named {name}.") from error


def _utf_16_without_mark(head: bytes) -> str | None:
    """Ids and numbers have a zero in every other byte of UTF-16."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) // 2 or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _non_ascii_lines(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        if piece.isascii():
            continue
        for line in (piece + file.readline(_PIECE)).splitlines():
            if not line.isascii():
                yield line[:_LONGEST_SAMPLE]


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        # A sample may end within a letter.
        return error.reason == "unexpected end of data" and error.start >= _LONGEST_SAMPLE - 3
    return True


def _legacy(sample: Iterable[bytes]) -> str:
    text = b"\n".join(sample)
    detector = EncodingDetector()
    detector.feed(text, last=True)
    guess = detector.guess(tld=None, allow_utf8=False)
    codec = _known(_SUPERSETS.get(guess.lower(), guess))
    if _share_out_of_place(text, codec) <= _MOST_OUT_OF_PLACE or (codec := _old_pc(text) or ""):
        return codec
    raise UnknownEncodingError(
        "The encoding of the file can't be told. Save it as UTF-8, or name the encoding with "
        "--encoding, such as cp1252, mac_roman or cp850."
    )


def _old_pc(data: bytes) -> str | None:
    """Return the DOS or Mac encoding that fits, if it fits much better than the other."""
    (best, codec), (second, _) = sorted((_share_out_of_place(data, name), name) for name in _OLD_PC)
    return codec if best <= _MOST_OUT_OF_PLACE / 2 and 2 * best < second else None


def _share_out_of_place(data: bytes, codec: str) -> float:
    text = data.decode(codec, errors="replace")
    letters = sum(not letter.isascii() for letter in text)
    wrong = len(_OUT_OF_PLACE.findall(text)) + text.count(UNREADABLE)
    return wrong / max(letters, 1)
