"""The splits of HAR, and a cache of the frozen backbone's output for its photos.

python -m ml.training.action.data --data har.parquet --cache FOLDER [--minutes 8]

It takes about twelve minutes on two idle cores and 2.3 GB; a stopped run can be resumed.
"""

import argparse
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.lib.format import open_memmap

from ml.action.backbone import TOKENS, WIDTH, encode, preprocess
from ml.images import decoded
from ml.labels import ACTIONS
from ml.types import Float16Array, Float32Array, Int64Array

log = logging.getLogger(__name__)

BATCH = 16


@dataclass(frozen=True)
class Part:
    """The row numbers of one split in the file, and their class numbers."""

    rows: Int64Array
    labels: Int64Array


@dataclass(frozen=True)
class Cached:
    """Tokens (rows, 257, 384) and features (rows, 768) of every row of a file, zero if missing."""

    tokens: Float16Array
    features: Float32Array

    def computed(self, part: Part) -> Part:
        """Return the rows of a part that are in the cache."""
        cached = self.tokens[part.rows, 0].any(axis=1)
        return Part(part.rows[cached], part.labels[cached])


def part_of(data: Path, split: str) -> Part:
    """Return one split of a HAR file; `train` without surplus copies."""
    table = pq.read_table(data, columns=["label", "split", "exact_or_near_copy"])
    labels = np.array([ACTIONS.index(label) for label in table["label"].to_pylist()])
    inside = np.array(table["split"].to_pylist()) == split
    if split == "train":
        inside &= ~table["exact_or_near_copy"].to_numpy(zero_copy_only=False).astype(bool)
    return Part(np.flatnonzero(inside), labels[inside])


def open_cache(data: Path, cache: Path) -> Cached:
    """Return the cache of a HAR file, whose arrays are files in the folder."""
    cache.mkdir(parents=True, exist_ok=True)
    rows = pq.read_metadata(data).num_rows
    tokens: Float16Array = _array(cache / "tokens.npy", np.float16, (rows, *TOKENS))
    features: Float32Array = _array(cache / "features.npy", np.float32, (rows, WIDTH))
    return Cached(tokens, features)


def _array(file: Path, kind: type, shape: tuple[int, ...]) -> Any:
    if file.exists():
        return open_memmap(file, mode="r+")
    return open_memmap(file, mode="w+", dtype=kind, shape=shape)


def fill_cache(data: Path, cached: Cached, minutes: float = 1e6) -> int:
    """Encode photos until the time limit; return how many are missing.

    Photos of `test` are left out: no choice may depend on them.
    """
    images = pq.read_table(data, columns=["image"])["image"]
    wanted = np.concatenate([part_of(data, split).rows for split in ("val", "train")])
    missing = wanted[~cached.tokens[wanted, 0].any(axis=1)]
    end = time.monotonic() + 60 * minutes
    for begin in range(0, len(missing), BATCH):
        if time.monotonic() > end:
            return len(missing) - begin
        rows = missing[begin : begin + BATCH]
        photos = [decoded(images[int(row)].as_py(), f"The image of row {row}") for row in rows]
        seen = encode([preprocess(photo) for photo in photos])
        cached.tokens[rows], cached.features[rows] = seen.tokens, seen.features
        if begin % (50 * BATCH) == 0:
            log.info("%d of %d", begin, len(missing))
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the arrays")
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="time limit; call again to resume"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    n_missing = fill_cache(given.data, open_cache(given.data, given.cache), given.minutes)
    log.info("%d photos are missing", n_missing)


if __name__ == "__main__":
    main()
