"""Read GoEmotions and "emotion" (six classes) for training, with embeddings and words."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from ml.caption.encoder import WIDTH, embed
from ml.caption.labels import FINE
from ml.caption.text import Hashes, hashed, tokens
from ml.labels import EMOTIONS
from ml.training.caption.labels import TO_EIGHT, eight_of, fine_shares
from ml.types import Float32Array

log = logging.getLogger(__name__)

VALIDATION = ("dev", "val")  # as the one file and the other call it


@dataclass(frozen=True)
class Captions:
    """Sentence embeddings (n, 384), words (n), fine labels (n, 28) and coarse ones (n, 8).

    An embedding is NaN if the text isn't encoded; fine labels are zero if only the coarse one is
    known.
    """

    sentence: Float32Array
    words: Sequence[Hashes]
    fine: Float32Array
    eight: Float32Array

    def __len__(self) -> int:
        return len(self.eight)


@dataclass(frozen=True)
class Collection:
    """The training and validation rows of one file; the test rows are never read."""

    name: str
    training: Captions
    validation: Captions


def read(data: Path, cache: Path, *, encoded: int | None = None, seed: int = 7) -> Collection:
    """Return the rows of a file with columns text, split and labels (lists) or label.

    Rows are shuffled by the seed. Encoding takes 25 ms a text on one core: `encoded` limits how
    many training rows get an embedding, and a quarter as many validation rows are kept. The
    embeddings are kept in `cache`.
    """
    table = pq.read_table(data)
    splits = np.array(table["split"].to_pylist())
    random = np.random.default_rng(seed)
    validation, training = (
        table.take(random.permutation(np.flatnonzero(np.isin(splits, names))))
        for names in (VALIDATION, ("train",))
    )
    encoded = len(training) if encoded is None else encoded
    validation = validation.slice(0, encoded // 4)
    return Collection(
        data.stem,
        _captions(training, encoded, cache / f"{data.stem}-train-{encoded}.npy"),
        _captions(validation, encoded, cache / f"{data.stem}-validation-{len(validation)}.npy"),
    )


def written(file: Path) -> Captions:
    """Return the sincere captions of a CSV file with columns text, label and kind, all encoded."""
    table = _sincere(file)
    texts = table["text"].to_pylist()
    return Captions(embed(texts), [hashed(tokens(text)) for text in texts], *targets_of(table))


def languages_of(file: Path) -> list[str]:
    """Return the languages of the same captions."""
    names: list[str] = _sincere(file)["language"].to_pylist()
    return names


def _sincere(file: Path) -> pa.Table:
    table = csv.read_csv(file)
    return table.filter(pc.not_equal(table["kind"], "sarcasm"))


def _captions(table: pa.Table, encoded: int, file: Path) -> Captions:
    texts = table["text"].to_pylist()
    fine, eight = targets_of(table)
    sentence = np.full((len(texts), WIDTH), np.nan, dtype=np.float32)
    sentence[:encoded] = _cached(texts[:encoded], file)
    return Captions(sentence, [hashed(tokens(text)) for text in texts], fine, eight)


def targets_of(table: pa.Table) -> tuple[Float32Array, Float32Array]:
    """Return fine (n, 28) and coarse (n, 8) shares of a table's rows.

    Raises KeyError for an unknown label.
    A column `labels` holds lists of GoEmotions labels, `label` one of the six labels of "emotion"
    or one of the seven emotions.
    """
    if "labels" in table.column_names:
        fine = np.stack([fine_shares(names) for names in table["labels"].to_pylist()])
        return fine, fine @ TO_EIGHT
    eight = np.stack([eight_of(name) for name in table["label"].to_pylist()])
    return np.zeros((len(eight), len(FINE)), dtype=np.float32), eight


def texts_and_targets(table: pa.Table) -> tuple[list[str], Float32Array]:
    """Return the texts (n) of a table's rows and shares of the seven emotions (n, 7)."""
    seven = targets_of(table)[1][:, : len(EMOTIONS)].copy()
    seven[:, EMOTIONS.index("happy")] += targets_of(table)[1][:, len(EMOTIONS)]  # love
    return table["text"].to_pylist(), seven


def vocabulary(texts: Sequence[Hashes], least: int) -> Hashes:
    """Return the sorted hashes of the words that at least `least` texts have."""
    words, counts = np.unique(np.concatenate([np.unique(t) for t in texts]), return_counts=True)
    return np.asarray(words[counts >= least])


def _cached(texts: Sequence[str], file: Path) -> Float32Array:
    if file.exists():
        return np.asarray(np.load(file), dtype=np.float32)
    result = np.concatenate([embed(texts[n : n + 64]) for n in range(0, len(texts), 64)])
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, result)
    log.info("embeddings of %d texts in %s", len(result), file)
    return result
