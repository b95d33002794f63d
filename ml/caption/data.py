"""GoEmotions and "emotion" (six classes) as soft labels over our seven emotions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.caption.encoder import Floats, embed
from ml.labels import EMOTIONS

log = logging.getLogger(__name__)

# Ekman's grouping of the 27 GoEmotions (Demszky et al. 2020, appendix), and the six of "emotion"
# (Saravia et al. 2018), by our names.
_MEMBERS = {
    "angry": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "happy": "joy amusement approval excitement gratitude love optimism relief pride admiration"
    " desire caring",
    "neutral": "neutral",
    "sad": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
}
GROUP = {member: name for name, members in _MEMBERS.items() for member in members.split()}


VALIDATION = ("dev", "val")  # as the one file and the other call it


@dataclass(frozen=True)
class Captions:
    """Embeddings (n, 384), soft labels (n, 7) and splits (n,); a text of several groups has
    equal shares of them."""

    features: Floats
    targets: Floats
    splits: NDArray[np.str_]

    def part(self, *splits: str) -> tuple[Floats, Floats]:
        rows = np.isin(self.splits, splits)
        return self.features[rows], self.targets[rows]


def shares(labels: Sequence[str]) -> Floats:
    """Return (7,) shares of the emotions that the labels belong to; KeyError if one is unknown."""
    groups = sorted(
        {EMOTIONS.index(label if label in EMOTIONS else GROUP[label]) for label in labels}
    )
    result = np.zeros(len(EMOTIONS), dtype=np.float32)
    result[groups] = 1 / len(groups)
    return result


def read(data: Path, cache: Path, *, most: int = 8_000, seed: int = 7) -> Captions:
    """Return the rows of a file with columns text, split and labels (lists) or label.

    At most `most` rows of the training split and a quarter as many for validation, drawn by the
    seed, and none of the test split: encoding takes 25 ms a text on one core.
    """
    table = pq.read_table(data)
    splits = np.array(table["split"].to_pylist())
    rng = np.random.default_rng(seed)
    training = rng.permutation(np.flatnonzero(splits == "train"))[:most]
    held_out = rng.permutation(np.flatnonzero(np.isin(splits, VALIDATION)))[: most // 4]
    rows = np.sort(np.concatenate([training, held_out]))
    texts, targets = texts_and_targets(table.take(rows))
    return Captions(_cached(texts, cache / f"{data.stem}-{most}.npy"), targets, splits[rows])


def texts_and_targets(table: pa.Table) -> tuple[list[str], Floats]:
    """Return the texts (n) and soft labels (n, 7) of a table's rows."""
    column = "labels" if "labels" in table.column_names else "label"
    labels = [value if isinstance(value, list) else [value] for value in table[column].to_pylist()]
    return table["text"].to_pylist(), np.stack([shares(names) for names in labels])


def _cached(texts: Sequence[str], file: Path) -> Floats:
    if file.exists():
        return np.asarray(np.load(file), dtype=np.float32)
    result = np.concatenate([embed(texts[n : n + 256]) for n in range(0, len(texts), 256)])
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, result)
    log.info("embeddings of %d texts in %s", len(result), file)
    return result
