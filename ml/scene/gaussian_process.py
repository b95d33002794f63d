"""Gaussian-process regression over blocks of features, in numpy (Rasmussen & Williams 2006).

The less a photo is like those that the process has learned from, the less certain its prediction.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ml.types import Float64Array

Blocks = Mapping[str, Float64Array]
"""Features (n, width) by name; all with the same n."""


@dataclass(frozen=True)
class Block:
    """The features (n, width) that the process has learned from, and how they were standardised.

    `distance` is the squared distance at which the kernel has fallen to 1/e, `weight` its share in
    the kernel of all blocks.
    """

    mean: Float64Array
    sd: Float64Array
    known: Float64Array
    distance: float
    weight: float

    def kernel(self, features: Float64Array) -> Float64Array:
        """Return the squared-exponential kernel (m, n) between (m, width) features and `known`."""
        apart = squared_distances((features - self.mean) / self.sd, self.known)
        return np.asarray(self.weight * np.exp(-apart / self.distance))


@dataclass(frozen=True)
class Process:
    """A fitted process for several numbers: valence and arousal.

    `mean` and `variance` (2,) are those of the prior, `noise` the variance of a rating beside the
    prior's; `weights` (n, 2) and `inverse` (n, n) belong to the n photos learned from.
    """

    blocks: Mapping[str, Block]
    mean: Float64Array
    variance: Float64Array
    noise: Float64Array
    weights: Float64Array
    inverse: Float64Array

    def predict(self, features: Blocks) -> tuple[Float64Array, Float64Array]:
        """Return means and variances (m, 2) of the ratings of m photos."""
        kernel = total_kernel(self.blocks, features)
        explained = ((kernel @ self.inverse) * kernel).sum(axis=1)
        left = np.maximum(1 + self.noise - explained, self.noise)
        return self.mean + kernel @ self.weights, np.outer(left, self.variance)

    def save(self, path: Path) -> None:
        """Write the process as a compressed .npz file."""
        parts = {name: getattr(self, name) for name in _PARTS}
        for name, block in self.blocks.items():
            parts |= {f"{name}/{key}": value for key, value in asdict(block).items()}
        kinds = {key: np.float16 if key.endswith("/known") else np.float32 for key in parts}
        shrunk = {key: np.asarray(part, dtype=kinds[key]) for key, part in parts.items()}
        np.savez_compressed(path, **shrunk)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Process":
        """Return the process that `save` wrote."""
        with np.load(path) as file:
            parts = {key: np.asarray(file[key], dtype=np.float64) for key in file.files}
        names = dict.fromkeys(key.split("/")[0] for key in parts if "/" in key)
        blocks = {name: _block(parts, f"{name}/") for name in names}
        return cls(blocks, **{name: parts[name] for name in _PARTS})


_PARTS = ("mean", "variance", "noise", "weights", "inverse")


def _block(parts: Mapping[str, Float64Array], prefix: str) -> Block:
    mean, sd, known = (parts[prefix + key] for key in ("mean", "sd", "known"))
    return Block(
        mean, sd, known, float(parts[prefix + "distance"]), float(parts[prefix + "weight"])
    )


def total_kernel(blocks: Mapping[str, Block], features: Blocks) -> Float64Array:
    """Return the sum of the blocks' kernels (m, n), which is 1 between equal photos."""
    return np.asarray(np.sum([block.kernel(features[n]) for n, block in blocks.items()], axis=0))


def squared_distances(one: Float64Array, other: Float64Array) -> Float64Array:
    """Return the squared distances (m, n) between (m, width) and (n, width)."""
    lengths = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * one @ other.T, 0))
