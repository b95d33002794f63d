"""HAR: reading photos and caching their frozen features, which do not change in training."""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from ml.action.backbone import Floats, features, middle, whole
from ml.labels import ACTIONS

log = logging.getLogger(__name__)

VIEWS: dict[str, Callable[[Image.Image], Image.Image]] = {"whole": whole, "middle": middle}


@dataclass(frozen=True)
class Photos:
    """Features (n, views, 768), class numbers (n,) and splits (n,) of a HAR file's rows."""

    features: Floats
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]

    def part(self, split: str) -> tuple[Floats, NDArray[np.int64]]:
        rows = self.splits == split
        return self.features[rows], self.labels[rows]


def read(data: Path, cache: Path) -> Photos:
    """Return the rows of a HAR file with the features of every view, cached in a folder."""
    table = pq.read_table(data, columns=["label", "split"])
    labels = np.array([ACTIONS.index(label) for label in table["label"].to_pylist()])
    views = [cached(data, cache / f"har-{name}.npy", view) for name, view in VIEWS.items()]
    return Photos(np.stack(views, axis=1), labels, np.array(table["split"].to_pylist()))


def cached(data: Path, file: Path, view: Callable[[Image.Image], Image.Image]) -> Floats:
    """Return (n, 768) features of one view of every row, computed on the first call only."""
    if file.exists():
        return np.asarray(np.load(file), dtype=np.float32)
    parts = [
        features([view(_open(encoded)) for encoded in batch["image"].to_pylist()])
        for batch in pq.ParquetFile(data).iter_batches(batch_size=16, columns=["image"])
    ]
    result = np.concatenate(parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, result)
    log.info("features of %d photos in %s", len(result), file)
    return result


def _open(encoded: bytes) -> Image.Image:
    return Image.open(io.BytesIO(encoded))
