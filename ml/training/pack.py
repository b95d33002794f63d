"""Pack training data into files small enough to carry to a machine with a GPU.

python -m ml.training.pack emotion --data fer2013.parquet --out PACKS
python -m ml.training.pack action --data har.parquet --out PACKS
python -m ml.training.pack backbone --out PACKS
python -m ml.training.pack check PACKS

Each is cut into parts of at most `--limit` MiB, described with their checksums in NAME.json. Only
the training and validation parts are packed: no test image leaves this machine. Images stay
encoded in the files (as arrays of bytes HAR alone would have 1.5 GB) and are decoded once, when
they are read. `ml.training.accelerated` trains on them.
"""

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LIMIT = 24.0
"""Mebibytes of a part."""

QUALITY = 50
"""WebP quality of photos: the training and validation photos of HAR then fit in two parts."""

Arrays = dict[str, NDArray[Any]]


def write(folder: Path, name: str, parts: Sequence[Arrays], limit: float = LIMIT) -> list[Path]:
    """Write the parts and their checksums; raise ValueError for one that is over the limit."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for place, arrays in enumerate(parts, 1):
        stream = io.BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # the arrays, not its option
        if len(stream.getvalue()) > limit * 2**20:
            raise ValueError(f"A part of {name} has more than {limit} MiB. Raise --limit.")
        file = folder / f"{name}-{place}-of-{len(parts)}.npz"
        replace(file, stream.getvalue())
        files[file.name] = hashlib.sha256(stream.getvalue()).hexdigest()
    replace(folder / f"{name}.json", json.dumps(files, indent=1).encode())
    return [folder / file for file in files]


def read(folder: Path, name: str) -> Arrays:
    """Return the joined arrays of all parts; raise ValueError if one is missing or damaged."""
    parts = []
    for file, sha256 in json.loads((folder / f"{name}.json").read_text()).items():
        path = folder / file
        content = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"{path} is missing or damaged. Copy it again.")
        with np.load(io.BytesIO(content)) as arrays:
            parts.append(dict(arrays))
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: np.concatenate([part[key] for part in parts if key in part]) for key in keys}


def replace(file: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    beside = file.with_name(f"new-{file.name}")
    beside.write_bytes(content)
    beside.replace(file)


def encoded_parts(encoded: Sequence[bytes], columns: Arrays, limit: float) -> list[Arrays]:
    """Return parts of about equal size of encoded images and of their other columns."""
    sizes = np.array([len(image) for image in encoded], dtype=np.int32)
    each = sizes + sum(column[:1].nbytes for column in columns.values()) + sizes.itemsize
    room = 0.99 * limit * 2**20 - 4096  # the file's own headers, and parts aren't quite equal
    count = int(np.ceil(each.sum() / room))
    groups = np.minimum(np.cumsum(each) * count // each.sum(), count - 1)
    parts: list[Arrays] = []
    for group in range(count):
        rows = np.flatnonzero(groups == group)
        joined = np.frombuffer(b"".join(encoded[row] for row in rows.tolist()), dtype=np.uint8)
        some: Arrays = {key: column[rows] for key, column in columns.items()}
        parts.append({"bytes": joined, "sizes": sizes[rows], **some})
    return parts


def images_of(packed: Arrays) -> NDArray[np.uint8]:
    """Return the decoded images of a pack: (n, height, width) or (n, height, width, 3) bytes."""
    ends = np.cumsum(packed["sizes"])
    pieces = np.split(packed["bytes"], ends[:-1])
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside Python's lock
        return np.stack(list(pool.map(_decode, pieces)))


def _decode(piece: NDArray[np.uint8]) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(piece.tobytes())) as image:
        return np.asarray(image)


def _encode(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=QUALITY, optimize=True)
    return stream.getvalue()


def pack_emotion(data: Path, out: Path, limit: float = LIMIT) -> list[Path]:
    """Pack the training and validation parts of FER-2013: faces (lossless), labels, FER+ shares."""
    from ml.training.emotion.data import read_training
    from ml.training.emotion.train import Plan

    both = read_training(data, seed=Plan.seed)
    faces = [_encode(Image.fromarray(face), "PNG") for part in both for face in part.images]
    columns: Arrays = {
        "labels": np.concatenate([part.labels for part in both]).astype(np.uint8),
        "votes": np.concatenate([part.votes for part in both]).astype(np.float16),
        "validation": np.repeat([False, True], [len(part) for part in both]),
    }
    return write(out, "emotion", encoded_parts(faces, columns, limit), limit)


def pack_action(data: Path, out: Path, limit: float = LIMIT) -> list[Path]:
    """Pack `train` (without surplus copies) and `val` of HAR: photos as the backbone takes them."""
    import pyarrow.parquet as pq

    from ml.action.backbone import preprocess
    from ml.images import decoded
    from ml.training.action.data import part_of

    both = [part_of(data, split) for split in ("train", "val")]
    images = pq.read_table(data, columns=["image"])["image"]
    rows = np.concatenate([part.rows for part in both])
    photos = [
        _encode(preprocess(decoded(images[int(row)].as_py(), f"The image of row {row}")), "WEBP")
        for row in rows
    ]
    columns: Arrays = {
        "labels": np.concatenate([part.labels for part in both]).astype(np.uint8),
        "validation": np.repeat([False, True], [len(part.rows) for part in both]),
    }
    return write(out, "action", encoded_parts(photos, columns, limit), limit)


def pack_backbone(out: Path, limit: float = LIMIT) -> list[Path]:
    """Pack the weights of DINOv2 ViT-S/14 in 16 bits."""
    from ml.training.action.blocks import backbone_weights

    weights = {key: value.astype(np.float16) for key, value in backbone_weights().items()}
    size = sum(value.nbytes for value in weights.values())
    parts: list[Arrays] = [{} for _ in range(int(np.ceil(size / (0.97 * limit * 2**20))))]
    for key, value in sorted(weights.items(), key=lambda item: -item[1].nbytes):
        min(parts, key=lambda part: sum(each.nbytes for each in part.values()))[key] = value
    return write(out, "backbone", parts, limit)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parsers = parser.add_subparsers(dest="what", required=True)
    for what in ("emotion", "action", "backbone"):
        each = parsers.add_parser(what)
        if what != "backbone":
            each.add_argument("--data", type=Path, required=True, help="the Parquet file")
        each.add_argument("--out", type=Path, required=True, help="folder of the packs")
        each.add_argument("--limit", type=float, default=LIMIT, help="mebibytes of a part")
    parsers.add_parser("check").add_argument("out", type=Path, help="folder of the packs")
    given = parser.parse_args(arguments)
    if given.what == "check":
        names = [file.stem for file in sorted(given.out.glob("*.json"))]
        lines = [f"{name}: {len(read(given.out, name))} arrays, whole" for name in names]
    else:
        if given.what == "backbone":
            files = pack_backbone(given.out, given.limit)
        else:
            pack = {"emotion": pack_emotion, "action": pack_action}[given.what]
            files = pack(given.data, given.out, given.limit)
        lines = [f"{file}: {file.stat().st_size / 2**20:.1f} MiB" for file in files]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
