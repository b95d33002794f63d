"""OASIS: its ratings, and what the shipped models see in its photos.

The pictures are read and never written anywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.action.backbone import encode, preprocess
from ml.action.predict import recognise
from ml.emotion.photo import emotion_of, read_faces
from ml.faces.detection import detect
from ml.images import decoded
from ml.intensity import intensity_of
from ml.scene.gaussian_process import Blocks
from ml.scene.predict import features_of


@dataclass(frozen=True)
class Seen:
    """What the models see in n photos: the scene's features, and faces and actions of each.

    `tags` have "emotion" (or None), "action" and "intensity", as `ml.mood.fusion.fuse` takes them.
    """

    features: Blocks
    tags: Sequence[Mapping[str, Any]]


def read(path: Path, cache: Path | None = None) -> tuple[pa.Table, Seen]:
    """Return the rows of a file and what is seen in them, from the cache folder if it's there."""
    table = pq.read_table(path)
    if cache is None:
        return table.drop(["image"]), see(table["image"].to_pylist())
    features, tags = cache / "oasis.npz", cache / "oasis.json"
    if not (features.is_file() and tags.is_file()):
        seen = see(table["image"].to_pylist())
        cache.mkdir(parents=True, exist_ok=True)
        halves = {name: block.astype(np.float32) for name, block in seen.features.items()}
        np.savez(features, **halves)  # type: ignore[arg-type]
        tags.write_text(json.dumps(seen.tags))
    with np.load(features) as stored:
        blocks = {name: stored[name].astype(np.float64) for name in stored.files}
    return table.drop(["image"]), Seen(blocks, json.loads(tags.read_text()))


def see(images: Sequence[bytes]) -> Seen:
    """Return what the shipped models see in encoded images."""
    blocks, tags = [], []
    for row, encoded in enumerate(images):
        photo = decoded(encoded, f"The image of row {row}").convert("RGB")
        encoding = encode([view := preprocess(photo)])
        blocks.append(features_of([view], encoding))
        action, _ = recognise(encoding)
        emotion = emotion_of(read_faces(photo, detect(photo)))
        tags.append({"emotion": emotion, "action": action, "intensity": intensity_of(action)})
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return Seen(joined, tags)
