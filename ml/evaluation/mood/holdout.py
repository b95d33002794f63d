"""Predictions of the shipped models for held-out faces, captions and photos, by label."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from ml.images import decoded
from ml.labels import EMOTIONS
from ml.types import Float64Array

PER_LABEL = 20
"""Held-out rows per label; stories draw from them."""


@dataclass(frozen=True)
class Parts:
    """Predictions for held-out rows, as plain JSON by the label of the row."""

    emotion: Mapping[str, Sequence[Any]]
    caption: Mapping[str, Sequence[Any]]
    activity: Mapping[str, Sequence[Any]]


def parts_of(
    faces: Path, captions: Path, photos: Path, split: str, cache: Path | None = None
) -> Parts:
    """Return predictions for up to PER_LABEL rows per label; takes minutes without a cache."""
    file = cache / f"parts-{split}.json" if cache else None
    if file and file.is_file():
        return Parts(**json.loads(file.read_text()))
    predictions = {
        "emotion": read_faces(faces, split, np.random.default_rng(7)),
        "caption": read_captions(captions, split, np.random.default_rng(7)),
        "activity": read_photos(photos, split, np.random.default_rng(7)),
    }
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(predictions))
    return Parts(**predictions)


def read_faces(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Return the probabilities of some faces by their labelled emotion."""
    from ml.emotion.photo import emotions_of_images

    if split == "val":  # FER-2013 has no such split; the network was chosen on this one
        from ml.training.emotion.data import read_training

        _, validation = read_training(path, seed=7)
        rows = [
            (Image.fromarray(image), EMOTIONS[label])
            for image, label in zip(validation.images, validation.labels, strict=True)
        ]
    else:
        rows = [(_photo(image), label) for image, label in _rows(path, "image", split)]
    return _by_label(_few(rows, rng), lambda faces: _named(EMOTIONS, emotions_of_images(faces)))


def read_captions(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Return the moods of some captions by their one labelled emotion."""
    from ml.caption.predict import read
    from ml.training.caption.data import texts_and_targets

    table = pq.read_table(path)
    names = {"val": ("val", "dev"), "test": ("test",)}[split]
    table = table.take(np.flatnonzero(np.isin(table["split"].to_pylist(), names)))
    texts, targets = texts_and_targets(table)
    rows = [
        (text, EMOTIONS[int(target.argmax())])
        for text, target in zip(texts, targets, strict=True)
        if target.max() == 1
    ]
    return _by_label(_few(rows, rng), lambda w: [reading.mood.to_json() for reading in read(w)])


def read_photos(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Return action, intensity and scene of some photos by their labelled action."""
    from ml.action.backbone import encode, preprocess
    from ml.action.predict import recognise
    from ml.intensity import intensity_of
    from ml.scene.predict import scene_of

    def of(photos: Sequence[Image.Image]) -> list[Any]:
        views = [preprocess(photo) for photo in photos]
        seen = [encode([view]) for view in views]
        actions = [recognise(encoding)[0] for encoding in seen]
        return [
            {
                "action": action,
                "intensity": intensity_of(action),
                "scene": scene_of(view, encoding).mood.to_json(),
            }
            for view, encoding, action in zip(views, seen, actions, strict=True)
        ]

    rows = [(_photo(image), label) for image, label in _rows(path, "image", split)]
    return _by_label(_few(rows, rng), of)


def _rows(path: Path, column: str, split: str) -> list[tuple[Any, str]]:
    table = pq.read_table(path, columns=[column, "label", "split"]).to_pydict()
    return [
        (value, label)
        for value, label, part in zip(table[column], table["label"], table["split"], strict=True)
        if part == split or part.endswith(f"_{split}")
    ]


def _few(rows: Sequence[tuple[Any, str]], rng: np.random.Generator) -> list[tuple[Any, str]]:
    taken: dict[str, list[tuple[Any, str]]] = {}
    for place in rng.permutation(len(rows)):
        same = taken.setdefault(rows[place][1], [])
        if len(same) < PER_LABEL:
            same.append(rows[place])
    return [row for rows_of in taken.values() for row in rows_of]


def _by_label(
    rows: Sequence[tuple[Any, str]], read: Callable[[list[Any]], Sequence[Any]]
) -> dict[str, list[Any]]:
    by_label: dict[str, list[Any]] = {}
    for (_, label), prediction in zip(rows, read([item for item, _ in rows]), strict=True):
        by_label.setdefault(label, []).append(prediction)
    return by_label


def _named(names: Sequence[str], rows: Float64Array) -> list[dict[str, float]]:
    return [{n: float(p) for n, p in zip(names, row, strict=True)} for row in rows]


def _photo(encoded: bytes) -> Image.Image:
    return decoded(encoded, "A held-out photo").convert("RGB")
