"""Learn to tell people's faces from painted, drawn, carved and animals' ones, and publish it.

python -m ml.training.people.train --people har.parquet --oasis oasis.parquet
    --no-faces no_faces.parquet

Learns from photos of people (HAR's part `train`, half of OASIS's category Person) and from the
part `development` of a file of `python -m ml.prepare no-faces`. Of the people in HAR's part `val`
and the other half of OASIS it may lose LOST. It takes half an hour, most of it for finding faces.
"""

import argparse
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from sklearn.linear_model import LogisticRegression

from ml.action.backbone import encode, preprocess
from ml.evaluation.metrics import interval, share_of
from ml.faces.detection import _search, detect
from ml.faces.people import at_face
from ml.images import decoded, shrink
from ml.manifest import publish
from ml.types import Float64Array

VERSION = "1.0.0"
LOST = 0.003
"""Share of the people in photos that may be lost: worse than a painting taken for a person."""

PHOTOS = 3100
"""Photos of HAR's part `train` in which people are looked for."""

HINT, HINTS = 0.4, 3
"""YuNet score from which a place in a picture without a face is learned from, and how many.

Few such pictures have places that pass for a face; many have places that nearly do.
"""

SIDE = 640
STRENGTH = 0.03
"""Inverse strength of the penalty on standardised weights.

Chosen on the pictures learned from, of which one kind at a time was left out: of the painted
portraits 12 % pass for people, with 0.0003 29 %, with 0.003 17 % and with 0.3 12 %.
"""

NOBODY = ("animal photograph", "drawing", "drawing of people", "painted portrait", "statue")
MASKS = ("scary face",)
"""Themes of OASIS whose people wear masks."""

Box = tuple[float, float, float, float]
Samples = list[tuple[Float64Array, str]]


def _seen(photo: Image.Image, boxes: Sequence[Box]) -> list[Float64Array]:
    tokens = encode([preprocess(photo)]).tokens[0]
    return [at_face(tokens, box) for box in boxes]


def seen_of_people(photos: Iterable[Image.Image], chance: random.Random) -> list[Float64Array]:
    """Return what is seen at each face, as the photo is and once as a filter or a bad copy."""
    found = []
    for photo in photos:
        boxes = [face.box for face in detect(photo)[:4]]
        if boxes:
            found += _seen(photo, boxes) + _seen(altered(photo, chance), boxes)
    return found


def seen_of_nobody(
    pictures: Iterable[tuple[str, Image.Image]],
    backgrounds: Sequence[Image.Image],
    chance: random.Random,
) -> Samples:
    """Return the same with the kind of picture, for places that look like a face.

    Each is seen as it is, altered, and hung into a photo, as posters are.
    """
    found: Samples = []
    for kind, picture in pictures:
        small = shrink(picture, SIDE)
        places = sorted(_search(small), key=lambda place: -place.score)[:HINTS]
        corners = [(p.middle - p.size / 2, p.size) for p in places if p.score >= HINT]
        boxes = [_box(*corner, np.array(small.size)) for corner in corners]
        if not boxes:
            continue
        seen = _seen(small, boxes) + _seen(altered(small, chance), boxes)
        seen += _seen(*_hung(small, boxes, chance.choice(backgrounds), chance))
        found += [(values, kind) for values in seen]
    return found


def _box(corner: Float64Array, size: Float64Array, photo: Any) -> Box:
    x, y = (corner / photo).tolist()
    width, height = (size / photo).tolist()
    return x, y, width, height


def _hung(
    picture: Image.Image, boxes: Sequence[Box], wall: Image.Image, chance: random.Random
) -> tuple[Image.Image, list[Box]]:
    """Paste the picture into a photo; return it with the boxes where they are now."""
    photo = wall.resize((SIDE, SIDE * wall.height // wall.width))
    fits = min(photo.width / picture.width, photo.height / picture.height)
    poster = ImageOps.scale(picture, chance.uniform(0.3, 0.9) * fits)
    left = chance.randrange(photo.width - poster.width + 1)
    top = chance.randrange(photo.height - poster.height + 1)
    photo.paste(poster, (left, top))
    wide, high = poster.width / photo.width, poster.height / photo.height
    x0, y0 = left / photo.width, top / photo.height
    return photo, [(x0 + x * wide, y0 + y * high, w * wide, h * high) for x, y, w, h in boxes]


def altered(photo: Image.Image, chance: random.Random) -> Image.Image:
    """Return a photo as people's filters, screens and bad copies make it."""
    return chance.choice(_ALTERATIONS)(photo.convert("RGB"))


def _jpeg(photo: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=15)
    return Image.open(stream).convert("RGB")


def _noisy(photo: Image.Image) -> Image.Image:
    pixels = np.asarray(photo, dtype=np.float64)
    noise = np.random.default_rng(pixels.size).normal(0, 20, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


_ALTERATIONS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    lambda photo: photo.convert("L").convert("RGB"),
    lambda photo: ImageOps.colorize(photo.convert("L"), (40, 20, 10), (255, 240, 200)),
    lambda photo: ImageEnhance.Contrast(photo).enhance(0.5),
    lambda photo: ImageEnhance.Contrast(photo).enhance(1.8),
    lambda photo: ImageEnhance.Color(photo).enhance(2.0),
    lambda photo: ImageEnhance.Brightness(photo).enhance(0.4),
    lambda photo: ImageEnhance.Brightness(photo).enhance(1.7),
    lambda photo: photo.filter(ImageFilter.GaussianBlur(max(photo.size) / 200)),
    lambda photo: photo.filter(ImageFilter.SMOOTH_MORE),
    _jpeg,
    _noisy,
)


def fit(people: Float64Array, nobody: Float64Array) -> tuple[Float64Array, float]:
    """Return weights (384,) and bias; the score is above zero for a person."""
    rows = np.concatenate([people, nobody])
    labels = np.arange(len(rows)) < len(people)
    mean, sd = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    model.fit((rows - mean) / sd, labels)
    weights = model.coef_[0] / sd
    return weights, float(model.intercept_[0] - mean @ weights)


def bias_that_loses(share: float, people: Float64Array, weights: Float64Array) -> float:
    """Return the bias at which this share of people has a score below zero."""
    return float(-np.quantile(people @ weights, share))


def train(people: Path, oasis: Path, no_faces: Path) -> dict[str, Any]:
    """Publish the regression; return the figures of parts that it wasn't learned from."""
    chance = random.Random(0)
    learned_from = [*_har(people, "train", PHOTOS), *_oasis(oasis, 0)]
    everybody = np.stack(seen_of_people(learned_from, chance))
    held_back = np.stack([*_plain(_har(people, "val")), *_plain(_oasis(oasis, 1))])
    walls = [*_har(people, "train", 200)]
    nobody = seen_of_nobody(_nobody(no_faces, "development"), walls, chance)
    others = _false_faces(no_faces, "test")
    tested = np.stack([*_plain(_har(people, "test"))])
    weights, bias = _fit(everybody, held_back, [values for values, _ in nobody])
    figures: dict[str, Any] = {
        "people": _share(tested @ weights + bias <= 0),
        "nobody": {
            kind: _shares(rows, weights, bias, n) for kind, (rows, n) in sorted(others.items())
        },
        "never_seen": {},
    }
    for kind in NOBODY:
        rest = [values for values, other in nobody if other != kind]
        rows, n = others[kind]
        figures["never_seen"][kind] = _shares(rows, *_fit(everybody, held_back, rest), n)
    described = {
        "version": VERSION,
        "data": "people of HAR and OASIS; pictures of nobody from Debian's packages and OASIS",
        "trained_on": [len(everybody), len(nobody)],
        "figures": figures,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.npz"
        np.savez_compressed(file, weights=weights.astype(np.float32), bias=np.float32(bias))
        publish("people", file, described)
    return figures


def _fit(
    people: Float64Array, held_back: Float64Array, nobody: Sequence[Float64Array]
) -> tuple[Float64Array, float]:
    weights, _ = fit(people, np.stack(nobody))
    return weights, bias_that_loses(LOST, held_back, weights)


def _plain(photos: Iterator[Image.Image]) -> Iterator[Float64Array]:
    for photo in photos:
        yield from _seen(photo, [face.box for face in detect(photo)])


def _false_faces(no_faces: Path, split: str) -> dict[str, tuple[list[Float64Array], int]]:
    """Return for each kind what is seen at the faces of each picture, and how many there are."""
    found: dict[str, tuple[list[Float64Array], int]] = {}
    for kind, picture in _nobody(no_faces, split, kinds=None):
        rows, n = found.get(kind, ([], 0))
        seen = _seen(picture, [face.box for face in detect(picture)])
        found[kind] = (rows + ([np.stack(seen)] if seen else []), n + 1)
    return found


def _shares(
    rows: Sequence[Float64Array], weights: Float64Array, bias: float, n: int
) -> dict[str, Any]:
    """Return in which share of n pictures a face is found, and one that passes for a person's."""
    passes = [bool((row @ weights + bias > 0).any()) for row in rows]
    return {
        "n": n,
        "found": round(len(rows) / n, 4),
        "people": round(sum(passes) / n, 4),
        "interval": [round(edge, 4) for edge in interval(sum(passes) / n, n)],
    }


def _share(lost: Any) -> dict[str, Any]:
    edges = interval(float(lost.mean()), len(lost))
    return {
        "n": len(lost),
        "lost": share_of(lost),
        "interval": [round(edge, 4) for edge in edges],
    }


def _har(path: Path, split: str, most: int | None = None) -> Iterator[Image.Image]:
    table = pq.read_table(path, columns=["image", "split"])
    images = table.filter(pc.field("split") == split)["image"].to_pylist()
    chosen = random.Random(0).sample(images, min(most or len(images), len(images)))
    return (decoded(image, "A photo of HAR").convert("RGB") for image in chosen)


def _oasis(path: Path, half: int) -> Iterator[Image.Image]:
    table = pq.read_table(path, columns=["image", "theme", "category"])
    people = [row for row in table.to_pylist() if row["category"] == "Person"]
    for row in people[half::2]:
        if row["theme"] not in MASKS:
            yield decoded(row["image"], row["theme"]).convert("RGB")


def _nobody(
    path: Path, split: str, kinds: Sequence[str] | None = NOBODY
) -> Iterator[tuple[str, Image.Image]]:
    for row in pq.read_table(path, filters=[("split", "=", split)]).to_pylist():
        if kinds is None or row["kind"] in kinds:
            yield row["kind"], decoded(row["image"], row["file"]).convert("RGB")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=Path, required=True, help="HAR")
    parser.add_argument("--oasis", type=Path, required=True)
    parser.add_argument("--no-faces", type=Path, required=True)
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(train(given.people, given.oasis, given.no_faces)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
