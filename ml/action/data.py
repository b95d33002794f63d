"""HAR: reading photos and caching their frozen features, which do not change in training."""

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from ml.action.backbone import VIEWS, Floats, features
from ml.labels import ACTIONS

log = logging.getLogger(__name__)

BATCH = 16


@dataclass(frozen=True)
class Photos:
    """Features (n, views, 768), class numbers (n,) and splits (n,) of a HAR file's rows."""

    features: Floats
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]

    def part(self, split: str) -> tuple[Floats, NDArray[np.int64]]:
        rows = self.splits == split
        return self.features[rows], self.labels[rows]


def read(data: Path, cache: Path, names: Sequence[str], most: int | None = None) -> Photos:
    """Return a HAR file's first rows without surplus copies, with features cached in a folder.

    `most` None takes every row; the rows of a split lie scattered over the file.
    """
    table = pq.read_table(data, columns=["label", "split", "exact_or_near_copy"]).slice(0, most)
    labels = np.array([ACTIONS.index(label) for label in table["label"].to_pylist()])
    files = [cache / f"har-{name}-{len(labels)}.npy" for name in names]
    views = [
        cached(data, file, VIEWS[name], len(labels))
        for file, name in zip(files, names, strict=True)
    ]
    splits = np.array(table["split"].to_pylist())
    copies = table["exact_or_near_copy"].to_numpy(zero_copy_only=False).astype(bool)
    keep = ~(copies & (splits == "train"))
    return Photos(np.stack(views, axis=1)[keep], labels[keep], splits[keep])


def cached(data: Path, file: Path, view: Callable[[Image.Image], Image.Image], rows: int) -> Floats:
    """Return (rows, 768) features of one view of the first rows, computed on the first call."""
    if file.exists():
        return np.asarray(np.load(file), dtype=np.float32)
    batches = pq.ParquetFile(data).iter_batches(batch_size=BATCH, columns=["image"])
    parts = [
        features([view(_open(encoded)) for encoded in batch["image"].to_pylist()])
        for batch in islice(batches, -(-rows // BATCH))
    ]
    result = np.concatenate(parts)[:rows]
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, result)
    log.info("features of %d photos in %s", len(result), file)
    return result


def _open(encoded: bytes) -> Image.Image:
    return Image.open(io.BytesIO(encoded))
