"""Batches of texts of about the same length, changed a little each time they are drawn."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from ml.caption.text import emoji_name, readable
from ml.caption.tokens import Ids, embedded, ids_of
from ml.training.caption.data import TARGETS, Part
from ml.types import Float32Array, Int64Array

MAX_TOKENS = 48
"""Tokens of a text that are learned from; captions and comments hardly ever have more."""

Batch = tuple[Mapping[str, Float32Array], Mapping[str, Float32Array], Mapping[str, Float32Array]]

_MARKS = re.compile(r"[^\w\s]")


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (inputs, targets, weights), drawn anew for every epoch.

    `shares` says how often a row of each part is drawn in an epoch, also in fractions. Each text
    is changed (`vary`) unless `random` is None: then all rows come in their order, unchanged.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        shares: Sequence[float],
        *,
        batch: int = 256,
        random: np.random.Generator | None = None,
    ) -> None:
        super().__init__(workers=2)
        self.batch, self.random, self.shares = batch, random, shares
        self.sizes = [len(part) for part in parts]
        self.texts = [text for part in parts for text in part.texts]
        self.lengths = np.array([min(len(text), 300) for text in self.texts])
        self.targets = {task: _stacked(parts, task) for task in TARGETS}
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        rows = self.batches[index]
        return self.inputs(rows), *self.wanted(rows)

    def inputs(self, rows: Int64Array) -> dict[str, Float32Array]:
        """Return the tokens' embeddings and their mask."""
        texts = [self.texts[row] for row in rows]
        if self.random:
            texts = [vary(text, self.random) for text in texts]
        tokens, mask = embedded([_cut(readable(text) or text) for text in texts])
        longer = -mask.shape[1] % 4  # fewer shapes, each of which is prepared anew
        return {
            "tokens": np.pad(tokens, ((0, 0), (0, longer), (0, 0))),
            "mask": np.pad(mask, ((0, 0), (0, longer))),
        }

    def wanted(self, rows: Int64Array) -> tuple[dict[str, Float32Array], dict[str, Float32Array]]:
        """Return the targets by task, and weights that are 0 where a row has none."""
        targets = {task: values[rows] for task, values in self.targets.items()}
        weights = {t: np.isfinite(v[:, 0]).astype(np.float32) for t, v in targets.items()}
        return {task: np.nan_to_num(values) for task, values in targets.items()}, weights

    def on_epoch_end(self) -> None:
        """Draw the rows of the next epoch."""
        if self.random is None:
            order = np.arange(len(self.texts))
            self.batches = [order[n : n + self.batch] for n in range(0, len(order), self.batch)]
            return
        rows = self._drawn(self.random)
        order = rows[np.argsort(self.lengths[rows] * self.random.uniform(0.9, 1.1, len(rows)))]
        ends = range(self.batch, len(order) + 1, self.batch)
        self.batches = [order[end - self.batch : end] for end in ends]
        self.random.shuffle(self.batches)

    def _drawn(self, random: np.random.Generator) -> Int64Array:
        drawn: list[Int64Array] = []
        start = 0
        for size, share in zip(self.sizes, self.shares, strict=True):
            whole = np.repeat(np.arange(start, start + size), int(share))
            some = random.permutation(size)[: round(size * (share % 1))] + start
            drawn += [whole, some]
            start += size
        return np.concatenate(drawn)


def _cut(text: str) -> Ids:
    ids = ids_of(text)
    return ids if len(ids) <= MAX_TOKENS else np.append(ids[: MAX_TOKENS - 1], ids[-1])


def _stacked(parts: Sequence[Part], task: str) -> Float32Array:
    missing = np.full(TARGETS[task], np.nan, dtype=np.float32)
    rows = [part.targets.get(task, np.tile(missing, (len(part), 1))) for part in parts]
    return np.concatenate(rows)


def vary(text: str, random: np.random.Generator) -> str:
    """Return the text, or at times one written as carelessly as captions are.

    In lower case, without punctuation, without accents, or without its emoji.
    """
    luck = random.random(4)
    if luck[0] < 0.15:
        text = text.lower()
    if luck[1] < 0.1:
        text = _MARKS.sub("", text) if text.isascii() else text.rstrip(".!。")
    if luck[2] < 0.05:
        text = _without_accents(text)
    if luck[3] < 0.1:
        bare = "".join(char for char in text if emoji_name(char) is None)
        text = bare if readable(bare) else text
    return text


def _without_accents(text: str) -> str:
    """Return Latin text without accents; other scripts need their marks."""
    apart = unicodedata.normalize("NFD", text)
    latin = all(ord(char) < 0x370 for char in apart if unicodedata.category(char) == "Ll")
    return re.sub("[\u0300-\u036f]", "", apart) if latin else text
