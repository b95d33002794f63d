"""Read the collections that the caption network learns from, as rows with targets for its tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

import ml.caption
from ml.caption.labels import FINE
from ml.caption.text import readable
from ml.labels import EMOTIONS
from ml.training.caption.labels import TO_EIGHT, eight_of, fine_shares
from ml.types import Float32Array

WRITTEN = Path(ml.caption.__file__).with_name("written")
SENTIMENTS = ("negative", "neutral", "positive")
XED = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
SARCASM = "sarcasm"
"""Kind of ironic captions."""

TARGETS = {
    "emotion": len(FINE) + 8,
    "mood": 2,
    "rating": 2,
    "sentiment": 3,
    "irony": 1,
    "emoji": 20,
    "spoken": len(XED),
}
"""Tasks and the widths of their targets: fine and coarse shares of emotions, valence and energy of
music, EmoBank's valence and arousal (standardised), and classes."""

Targets = Mapping[str, Float32Array]


@dataclass(frozen=True)
class Part:
    """Texts (n) of one collection and their targets by task."""

    name: str
    texts: Sequence[str]
    targets: Targets

    def __len__(self) -> int:
        return len(self.texts)


def read(folder: Path, name: str, splits: Sequence[str], random: np.random.Generator) -> Part:
    """Return the rows of these splits of a collection of READERS; those of XED are sampled."""
    table = pq.read_table(folder / f"{name}.parquet")
    if "split" in table.column_names:
        table = table.filter(pc.is_in(table["split"], pa.array(splits)))
    texts, targets = READERS[name](table, random)
    return Part(name, texts, targets)


def written(name: str) -> Part:
    """Return the captions of `written/{name}.csv`."""
    table = csv.read_csv(WRITTEN / f"{name}.csv")
    mood = np.stack([table[axis].to_numpy() for axis in ("valence", "energy")], axis=1)
    ironic = pc.equal(table["kind"], SARCASM).to_numpy(zero_copy_only=False)
    targets = {
        "emotion": emotion_targets(table),
        "mood": mood.astype(np.float32),
        "irony": ironic[:, None].astype(np.float32),
    }
    return Part(name, table["text"].to_pylist(), targets)


def without(part: Part, held_out: Sequence[str]) -> Part:
    """Return the part without texts that say the same as one held out, and without empty ones."""
    there = {_key(text) for text in held_out}
    kept = [k for k, text in enumerate(part.texts) if readable(text) and _key(text) not in there]
    return taken(part, kept)


def taken(part: Part, rows: Sequence[int]) -> Part:
    """Return these rows of a part."""
    targets = {task: values[rows] for task, values in part.targets.items()}
    return Part(part.name, [part.texts[row] for row in rows], targets)


def _key(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum()) or text


def emotion_targets(table: pa.Table) -> Float32Array:
    """Return fine (n, 28) and coarse (n, 8) shares beside each other.

    Fine shares are zero if only the coarse one is known. A column `labels` holds lists of
    GoEmotions labels, `label` one of the six labels of "emotion" or one of the seven emotions.
    Raises KeyError for an unknown label.
    """
    if "labels" in table.column_names:
        fine = np.stack([fine_shares(names) for names in table["labels"].to_pylist()])
        return np.hstack([fine, fine @ TO_EIGHT])
    eight = np.stack([eight_of(name) for name in table["label"].to_pylist()])
    return np.hstack([np.zeros((len(eight), len(FINE)), dtype=np.float32), eight])


def texts_and_targets(table: pa.Table) -> tuple[list[str], Float32Array]:
    """Return the texts (n) of a table's rows and shares of the seven emotions (n, 7)."""
    eight = emotion_targets(table)[:, len(FINE) :]
    seven = eight[:, : len(EMOTIONS)].copy()
    seven[:, EMOTIONS.index("happy")] += eight[:, len(EMOTIONS)]  # love
    return table["text"].to_pylist(), seven


def one_hot(labels: Sequence[str], classes: Sequence[str]) -> Float32Array:
    """Return (n, classes) with a one where the label is; raise ValueError if one is unknown."""
    return np.eye(len(classes), dtype=np.float32)[[classes.index(label) for label in labels]]


Read = tuple[Sequence[str], Targets]


def _emotions(table: pa.Table, _: np.random.Generator) -> Read:
    return table["text"].to_pylist(), {"emotion": emotion_targets(table)}


RATED = {"valence": (2.98, 0.35), "arousal": (3.04, 0.26)}
"""Mean and standard deviation of EmoBank's training rows."""


def _ratings(table: pa.Table, _: np.random.Generator) -> Read:
    each = [(table[axis].to_numpy() - mean) / sd for axis, (mean, sd) in RATED.items()]
    return table["text"].to_pylist(), {"rating": np.stack(each, axis=1).astype(np.float32)}


def _sentiments(table: pa.Table, _: np.random.Generator) -> Read:
    labels = table["label"].to_pylist()
    return table["text"].to_pylist(), {"sentiment": one_hot(labels, SENTIMENTS)}


def _irony(table: pa.Table, _: np.random.Generator) -> Read:
    ironic = np.array([[label == "irony"] for label in table["label"].to_pylist()])
    return table["text"].to_pylist(), {"irony": ironic.astype(np.float32)}


def _emoji(table: pa.Table, _: np.random.Generator) -> Read:
    labels = table["label"].to_pylist()
    return table["text"].to_pylist(), {"emoji": one_hot(labels, sorted(set(labels)))}


EACH_LANGUAGE = 700


def _spoken(table: pa.Table, random: np.random.Generator) -> Read:
    """Return at most EACH_LANGUAGE lines of each language, with equal shares of their emotions."""
    languages = np.array(table["language"].to_pylist())
    chosen = np.concatenate(
        [
            random.permutation(np.flatnonzero(languages == name))[:EACH_LANGUAGE]
            for name in np.unique(languages)
        ]
    )
    table = table.take(chosen)
    several = np.array([[name in row for name in XED] for row in table["labels"].to_pylist()])
    table, several = table.filter(pa.array(several.any(1))), several[several.any(1)]
    shares = several / several.sum(axis=1, keepdims=True)
    return table["text"].to_pylist(), {"spoken": shares.astype(np.float32)}


READERS: Mapping[str, Callable[[pa.Table, np.random.Generator], Read]] = {
    "goemotions": _emotions,
    "emotion6": _emotions,
    "emobank": _ratings,
    "umsab": _sentiments,
    "tweets_sentiment": _sentiments,
    "tweets_irony": _irony,
    "tweets_emoji": _emoji,
    "xed": _spoken,
}
