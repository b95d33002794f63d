"""Build the Parquet layouts of the training data from the original downloads.

python -m ml.prepare fer2013 --csv fer2013.csv --ferplus fer2013new.csv --out fer2013.parquet
python -m ml.prepare har --folder "Human Action Recognition" --out har.parquet
python -m ml.prepare no-action --development FOLDER ... --holdout FOLDER ... --out none.parquet
python -m ml.prepare no-faces --folders drawing=FOLDER animal=FOLDER ... --out no_faces.parquet

`no-action` makes pictures that show none of the actions: the sample images in the folders, scaled
like HAR's, and drawings. NAME=FOLDER names a source other than by its folder. `no-faces` makes a
file for `ml.evaluate faces` from folders of pictures without a real face: all of them, or --most of
each kind, drawn at random; half are for development and half for testing.
"""

import argparse
import csv
import hashlib
import io
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from ml.images import shrink
from ml.labels import ACTIONS
from ml.training.action import no_action

FER_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FER_SPLITS = {"Training": "train", "PublicTest": "public_test", "PrivateTest": "private_test"}
FERPLUS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
)
HAR_SIDE = 224
NO_FACES_SIDE = 1024

Row = dict[str, Any]


def groups(keys: Sequence[str]) -> list[int]:
    """Return the position of the first occurrence of every key, the group of equal keys."""
    first: dict[str, int] = {}
    return [first.setdefault(key, place) for place, key in enumerate(keys)]


def fer2013(pictures: Iterable[Row], votes: Iterable[Row]) -> list[Row]:
    """Return the rows of FER-2013 with FER+ votes, and which test rows have a copy in train."""
    rows = [
        _face(place, picture, vote)
        for place, (picture, vote) in enumerate(zip(pictures, votes, strict=True))
    ]
    for row, group in zip(rows, groups([_digest(row["image"]) for row in rows]), strict=True):
        row["duplicate_group"] = group
    trained = {row["duplicate_group"] for row in rows if row["split"] == "train"}
    for row in rows:
        row["copy_in_train"] = row["split"] != "train" and row["duplicate_group"] in trained
    return rows


def _face(place: int, picture: Row, vote: Row) -> Row:
    pixels = np.array(picture["pixels"].split(), dtype=np.uint8).reshape(48, 48)
    row = {
        "row": place,
        "image": _encoded(Image.fromarray(pixels), "PNG"),
        "label": FER_LABELS[int(picture["emotion"])],
        "split": FER_SPLITS[picture["Usage"]],
    }
    counts = {f"votes_{name}": int(vote[name]) for name in FERPLUS}
    return row | counts | {"votes_nf": int(vote["NF"])}


def har(folder: Path) -> list[Row]:
    """Return the labelled part of HAR, one in nine of a class for `val` and for `test` each.

    Near duplicates all stay in `train`.
    """
    with (folder / "Training_set.csv").open(newline="") as stream:
        rows = [_photo(folder, line["filename"], line["label"]) for line in csv.DictReader(stream)]
    same = groups([row.pop("hash") for row in rows])
    sizes = Counter(same)
    lonely: dict[str, list[Row]] = defaultdict(list)
    for place, (row, group) in enumerate(zip(rows, same, strict=True)):
        row |= {"duplicate_group": group, "exact_or_near_copy": group != place, "split": "train"}
        if sizes[group] == 1:
            lonely[row["label"]].append(row)
    for label in ACTIONS:
        _assign_holdout(lonely[label], sum(row["label"] == label for row in rows) // 9)
    return rows


def _assign_holdout(rows: list[Row], each: int) -> None:
    for place, row in enumerate(sorted(rows, key=lambda row: _digest(row["image"]))):
        if place < 2 * each:
            row["split"] = "val" if place < each else "test"


def _photo(folder: Path, name: str, label: str) -> Row:
    with Image.open(folder / "train" / name) as image:
        photo = image.convert("RGB")
    long_side = round(HAR_SIDE * max(photo.size) / min(photo.size))
    encoded = _encoded(shrink(photo, long_side), "WEBP")
    return {"file": name, "image": encoded, "label": label, "hash": _difference_hash(photo)}


def _difference_hash(photo: Image.Image) -> str:
    """Return the difference hash (64 bits) that a photo shares with its re-encoded copies."""
    grey = np.asarray(photo.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(int)
    return np.packbits(np.diff(grey, axis=1) > 0).tobytes().hex()


def no_faces(folders: Iterable[tuple[str, Path]], most: int | None = None) -> list[Row]:
    """Return rows of pictures that show no real face, each folder with the name of its kind."""
    rows = []
    for kind, folder in folders:
        found: list[Row] = [
            {"image": _encoded(shrink(picture, NO_FACES_SIDE), "WEBP"), "kind": kind, "file": name}
            for name, picture in no_action.pictures(folder)
        ]
        drawn = sorted(found, key=lambda row: _digest(str(row["file"]).encode()))[:most]
        parts = itertools.cycle(("development", "test"))
        rows += [row | {"n_faces": 0, "split": next(parts)} for row in drawn]
    return rows


def _encoded(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=90)
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(rows: list[Row], out: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd")
    sys.stdout.write(f"{len(rows)} rows in {out}\n")


def _named(text: str) -> tuple[str, Path]:
    name, _, folder = text.rpartition("=")
    return name or Path(folder).name, Path(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parsers = parser.add_subparsers(dest="what", required=True)
    faces, actions = (parsers.add_parser(name) for name in ("fer2013", "har"))
    negatives = parsers.add_parser("no-action", aliases=["none"])
    faces.add_argument("--csv", type=Path, required=True, help="fer2013.csv of the challenge")
    faces.add_argument("--ferplus", type=Path, required=True, help="fer2013new.csv of FER+")
    actions.add_argument("--folder", type=Path, required=True, help="the unpacked HAR download")
    for options in (["--development"], ["--holdout", "--held-out"]):
        negatives.add_argument(*options, type=_named, nargs="*", default=[], metavar="FOLDER")
    faceless = parsers.add_parser("no-faces")
    faceless.add_argument("--folders", type=_named, nargs="+", required=True, metavar="KIND=FOLDER")
    faceless.add_argument("--most", type=int, help="pictures of each folder")
    for each in (faces, actions, negatives, faceless):
        each.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.what == "har":
        _write(har(given.folder), given.out)
    elif given.what == "no-faces":
        _write(no_faces(given.folders, given.most), given.out)
    elif given.what in ("no-action", "none"):
        chosen = no_action.rows(given.development, "development", no_action.DEVELOPMENT)
        _write(chosen + no_action.rows(given.holdout, "test", no_action.HOLDOUT), given.out)
    else:
        with given.csv.open(newline="") as pictures, given.ferplus.open(newline="") as votes:
            _write(fer2013(csv.DictReader(pictures), csv.DictReader(votes)), given.out)


if __name__ == "__main__":
    main()
