"""Read FER-2013 with FER+ votes, split off a validation part, augment."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ml.emotion.predict import SIDE, SIZE
from ml.labels import EMOTIONS
from ml.training.emotion.fer2013 import VOTES
from ml.types import Float32Array, Int64Array


@dataclass(frozen=True)
class Faces:
    """Grey images (n, 48, 48) uint8, class numbers (n,), FER+ shares (n, 7), rows as read."""

    images: NDArray[np.uint8]
    labels: Int64Array
    votes: Float32Array

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Int64Array) -> "Faces":
        return Faces(self.images[rows], self.labels[rows], self.votes[rows])


def decode(encoded: bytes) -> NDArray[np.uint8]:
    """Return an encoded image as (48, 48) grey bytes."""
    with Image.open(io.BytesIO(encoded)) as image:
        grey = image.convert("L")
        return np.asarray(grey if grey.size == (SIDE, SIDE) else grey.resize((SIDE, SIDE)))


def read_training(path: Path, *, seed: int, share: float = 0.07) -> tuple[Faces, Faces]:
    """Return (training, validation), both cut from the `train` split only.

    Rows that share a duplicate group with a test row are in neither, and no group is split between
    them. Rows that at least half of the FER+ voters call no face aren't in the training part.
    """
    table = pq.read_table(path)
    groups = table["duplicate_group"].to_numpy()
    is_train = table["split"].to_numpy(zero_copy_only=False) == "train"
    usable = is_train & ~np.isin(groups, groups[~is_train])
    names = np.unique(groups[usable])
    validation_groups = np.random.default_rng(seed).choice(
        names, int(len(names) * share), replace=False
    )
    in_validation = np.isin(groups, validation_groups)
    no_face = table["votes_nf"].to_numpy() >= 5
    faces = _faces(table)
    return (
        faces.take(np.flatnonzero(usable & ~in_validation & ~no_face)),
        faces.take(np.flatnonzero(usable & in_validation)),
    )


def read_test(path: Path) -> tuple[Faces, pa.Table]:
    """Return both test parts, as faces and as the rows of the file."""
    table = pq.read_table(path)
    table = table.filter(pa.array(["test" in name for name in table["split"].to_pylist()]))
    return _faces(table), table


def _faces(table: pa.Table) -> Faces:
    images = np.stack([decode(encoded) for encoded in table["image"].to_pylist()])
    labels = np.array([EMOTIONS.index(label) for label in table["label"].to_pylist()])
    votes = np.stack([table[f"votes_{name}"].to_numpy() for name in VOTES], axis=1)
    shares = (votes + 1e-6) / (votes + 1e-6).sum(axis=1, keepdims=True)
    return Faces(images, labels, shares.astype(np.float32))


def targets(
    faces: Faces, teachers: Float32Array | None = None, *, voted: float = 0.15, share: float = 0.5
) -> Float32Array:
    """Return (n, 14) soft labels, seven for the label and seven for the voters.

    The first seven mix FER-2013's label, the ten FER+ votes and a uniform share: the votes tell
    which other emotions a face could pass for, so they smooth better than a uniform share alone;
    the label dominates because it is what is measured. With `teachers`, (n, 7) probabilities of
    networks trained earlier, a `share` is theirs (distillation, Hinton et al. 2015). The other
    seven are the voters' shares.
    """
    classes = len(EMOTIONS)
    one_hot = np.eye(classes, dtype=np.float32)[faces.labels]
    mixed = (0.95 - voted) * one_hot + voted * faces.votes + np.float32(0.05 / classes)
    if teachers is not None:
        mixed = (1 - share) * mixed + share * teachers
    return np.concatenate([mixed, faces.votes], axis=1).astype(np.float32)


def centre(images: NDArray[np.uint8], side: int = SIZE) -> NDArray[np.uint8]:
    """Return the middle (n, side, side, 1) of (n, 48, 48) images."""
    edge = (SIDE - side) // 2
    middle: NDArray[np.uint8] = images[:, edge : edge + side, edge : edge + side, None]
    return middle


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of shuffled, augmented batches; the same seed and epoch give the same batches.

    With `mixed` above 0 the views of a batch and their targets are mixed in pairs by a share from
    Beta(`mixed`, `mixed`) (mixup, Zhang et al. 2018).
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: Float32Array,
        *,
        epoch: int,
        seed: int,
        frame: int,
        size: int,
        batch: int,
        data_format: str,
        augmentation: float = 1.0,
        mixed: float = 0.0,
    ) -> None:
        super().__init__(workers=1, max_queue_size=8)
        self.images, self.targets = images, targets
        self.frame, self.size, self.batch, self.seed = frame, size, batch, (seed, epoch)
        self.augmentation, self.mixed = augmentation, mixed
        self.axis = -1 if data_format == "channels_last" else 1
        self.order = np.random.default_rng(self.seed).permutation(len(images))

    def __len__(self) -> int:
        return len(self.images) // self.batch

    def __getitem__(self, index: int) -> tuple[Float32Array, Float32Array]:
        rows = self.order[index * self.batch : (index + 1) * self.batch]
        rng = np.random.default_rng((*self.seed, index))
        settings = (self.frame, self.size, rng, self.augmentation)
        views = np.stack([augment(self.images[row], *settings) for row in rows])
        goal = self.targets[rows]
        if self.mixed:
            part = np.float32(rng.beta(self.mixed, self.mixed))
            views = part * views + (1 - part) * views[::-1]
            goal = part * goal + (1 - part) * goal[::-1]
        return np.expand_dims(views, self.axis), goal


def augment(
    image: NDArray[np.uint8],
    frame: int,
    size: int,
    rng: np.random.Generator,
    augmentation: float = 1.0,
) -> Float32Array:
    """Return an augmented (size, size) view of the middle `frame` pixels of a (48, 48) face.

    Mirrored, rotated by up to 12 degrees, shifted by 3 pixels, scaled by 12 percent, contrast 0.7
    to 1.3: as much as a face detector's frame varies. One in six is coarse (a face of 16 to 36
    pixels), one in six soft, one in eight a JPEG of quality 15 to 60, one in eight noisy, one in
    eight dark, and one in three has a part covered; `augmentation` scales these shares.
    """
    source = Image.fromarray(image)
    if rng.random() < 0.16 * augmentation:
        side = int(rng.integers(16, 37))
        coarse = source.resize((side, side), Image.Resampling.BOX)
        source = coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    if rng.random() < 0.16 * augmentation:
        source = source.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.12 * augmentation:
        source = compressed(source, int(rng.integers(15, 61)))
    pixels = _framed(source, frame, size, rng)
    pixels = (pixels - 128) * rng.uniform(0.7, 1.3) + 128 + rng.uniform(-20, 20)
    if rng.random() < 0.12 * augmentation:
        pixels *= rng.uniform(0.15, 0.6)
    if rng.random() < 0.12 * augmentation:
        large = max(1, round(size / frame))  # the size of a face's pixel in the view
        cells = -(-size // large)
        grain = rng.normal(0, rng.uniform(3, 25), (cells, cells))
        pixels += grain.repeat(large, axis=0).repeat(large, axis=1)[:size, :size]
    if rng.random() < 0.33 * augmentation:
        high, wide = (int(size * side) for side in rng.uniform(0.15, 0.5, 2))
        top, left = rng.integers(0, size - high), rng.integers(0, size - wide)
        pixels[top : top + high, left : left + wide] = rng.uniform(0, 255)
    return np.asarray(np.clip(pixels, 0, 255), dtype=np.float32)


def compressed(face: Image.Image, quality: int) -> Image.Image:
    """Return a grey image after JPEG compression at a quality."""
    stream = io.BytesIO()
    face.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def _framed(source: Image.Image, frame: int, size: int, rng: np.random.Generator) -> Float32Array:
    angle = math.radians(rng.uniform(-12, 12))
    zoom = frame / size * rng.uniform(0.88, 1.12)
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    mirror = rng.choice((-1.0, 1.0))
    shift = SIDE / 2 + rng.uniform(-3, 3, 2)
    half = size / 2
    x0 = shift[0] - mirror * cos * half + sin * half
    y0 = shift[1] - mirror * sin * half - cos * half
    matrix = (mirror * cos, -sin, x0, mirror * sin, cos, y0)
    view = source.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(view, dtype=np.float32)
