"""Augment batches of images where the network runs, with Keras operations alone.

Images are (batch, height, width, channels) floats in [0, 255]; sides must be multiples of 8 for
`compressed`. Every function draws for each image on its own, from a `keras.random.SeedGenerator`:
the same seed gives the same views. They mirror `ml.training.emotion.data.augment`, which does this
image by image on a CPU.
"""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

# The luminance table of JPEG (ITU-T T.81, annex K), at quality 50.
_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=np.float32,
).reshape(1, 1, 8, 1, 8, 1)
_COSINES = np.array(
    [
        [math.sqrt((1 if k == 0 else 2) / 8) * math.cos(math.pi * k * (2 * n + 1) / 16)
         for n in range(8)]
        for k in range(8)
    ],
    dtype=np.float32,
)  # fmt: skip


@dataclass(frozen=True)
class Augmentation:
    """How views differ from their images; the chances are those of each image.

    `angle` in degrees, `zoom` the range of the visible part's side, `shift` in parts of the side;
    `mixed` is the parameter of mixup's Beta distribution (Zhang et al. 2018), `cut` the chance that
    a batch gets rectangles of other images instead (CutMix, Yun et al. 2019).
    """

    angle: float = 12.0
    zoom: tuple[float, float] = (0.88, 1.12)
    shift: float = 0.06
    coarse: float = 0.1
    soft: float = 0.1
    compressed: float = 0.08
    dark: float = 0.08
    grain: float = 0.08
    erased: float = 0.2
    mixed: float = 0.2
    cut: float = 0.0

    def __call__(self, images: Any, goals: Any, seed: Any) -> tuple[Any, Any]:
        """Return views of the images and their (batch, classes) goals, mixed in pairs."""
        x = self._harmed(images, seed)
        x = framed(x, seed, self.angle, self.zoom, self.shift)
        x = lit(x, seed, self.dark)
        x = sometimes(self.grain, x, grained(x, seed), seed)
        x = sometimes(self.erased, x, erased(x, seed), seed)
        x = ops.clip(x, 0.0, 255.0)
        return mixed(x, goals, seed, self.mixed, self.cut) if self.mixed else (x, goals)

    def _harmed(self, x: Any, seed: Any) -> Any:
        """What happened to the picture before anybody framed it."""
        if self.coarse:
            for divisor in (3, 2):
                x = sometimes(self.coarse / 2, x, coarse(x, divisor), seed)
        if self.soft:
            x = sometimes(self.soft, x, soft(x, seed), seed)
        return sometimes(self.compressed, x, compressed(x, seed), seed) if self.compressed else x


def uniform(x: Any, low: float, high: float, seed: Any) -> Any:
    """Return one number (batch, 1, 1, 1) for each image."""
    return keras.random.uniform((ops.shape(x)[0], 1, 1, 1), low, high, seed=seed)


def sometimes(chance: float, x: Any, changed: Any, seed: Any) -> Any:
    """Return images of which some, by chance, are the changed ones."""
    return ops.where(uniform(x, 0.0, 1.0, seed) < chance, changed, x)


def framed(x: Any, seed: Any, angle: float, zoom: tuple[float, float], shift: float) -> Any:
    """Return images rotated, scaled, shifted and mirrored; what lies outside repeats the edge."""
    side = x.shape[1]

    def drawn(low: float, high: float) -> Any:
        return uniform(x, low, high, seed)[:, 0, 0, 0]

    turn, scale = drawn(-math.radians(angle), math.radians(angle)), drawn(*zoom)
    mirror = ops.sign(drawn(-1.0, 1.0) + 1e-9)
    cos, sin = scale * ops.cos(turn), scale * ops.sin(turn)
    middle = (side - 1) / 2
    over, down = (middle + side * drawn(-shift, shift) for _ in range(2))
    nothing = ops.zeros_like(cos)
    matrix = ops.stack(
        [
            *(mirror * cos, -sin, over - mirror * cos * middle + sin * middle),
            *(mirror * sin, cos, down - mirror * sin * middle - cos * middle),
            *(nothing, nothing),
        ],
        axis=1,
    )
    return ops.image.affine_transform(
        x, matrix, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )


def lit(x: Any, seed: Any, dark: float) -> Any:
    """Return images with another contrast and brightness, some of them dark."""
    x = (x - 128) * uniform(x, 0.7, 1.3, seed) + 128 + uniform(x, -20.0, 20.0, seed)
    return sometimes(dark, x, x * uniform(x, 0.15, 0.6, seed), seed)


def grained(x: Any, seed: Any) -> Any:
    """Return images with noise."""
    noise = keras.random.normal(ops.shape(x), seed=seed)
    return x + noise * uniform(x, 3.0, 25.0, seed)


def erased(x: Any, seed: Any) -> Any:
    """Return images with a grey rectangle (random erasing, Zhong et al. 2020)."""
    inside = rectangle(x, uniform(x, 0.15, 0.5, seed), uniform(x, 0.15, 0.5, seed), seed)
    return ops.where(inside, uniform(x, 0.0, 255.0, seed), x)


def rectangle(x: Any, high: Any, wide: Any, seed: Any) -> Any:
    """Return masks (batch, height, width, 1) of rectangles of given parts of the sides."""
    down = ops.reshape((ops.arange(x.shape[1], dtype="float32") + 0.5) / x.shape[1], (1, -1, 1, 1))
    over = ops.reshape((ops.arange(x.shape[2], dtype="float32") + 0.5) / x.shape[2], (1, 1, -1, 1))
    top, left = (uniform(x, 0.0, 1.0, seed) * (1 - part) for part in (high, wide))
    return (down >= top) & (down < top + high) & (over >= left) & (over < left + wide)


def coarse(x: Any, divisor: int) -> Any:
    """Return images of a lower resolution, at the size that they had."""
    small = ops.average_pool(x, divisor, divisor, data_format="channels_last")
    return ops.image.resize(small, x.shape[1:3], "bilinear", data_format="channels_last")


def soft(x: Any, seed: Any) -> Any:
    """Return blurred images: a Gaussian of up to 1.3 pixels, in three taps each way."""
    weight = ops.exp(-0.5 / ops.square(uniform(x, 0.4, 1.3, seed)))
    for axis in (1, 2):
        size = x.shape[axis]
        before = ops.take(x, [0, *range(size - 1)], axis=axis)
        after = ops.take(x, [*range(1, size), size - 1], axis=axis)
        x = (x + weight * (before + after)) / (1 + 2 * weight)
    return x


def compressed(x: Any, seed: Any) -> Any:
    """Return images after JPEG's rounding of 8 x 8 cosine coefficients, at qualities 15 to 60."""
    batch, high, wide, channels = ops.shape(x)
    blocks = ops.reshape(x - 128, (batch, high // 8, 8, wide // 8, 8, channels))
    quality = ops.reshape(uniform(x, 15.0, 60.0, seed), (batch, 1, 1, 1, 1, 1))
    scale = ops.where(quality < 50, 50 / quality, 2 - quality / 50)
    step = ops.maximum(_TABLE * scale, 1.0)
    found = ops.einsum("ki,lj,bhiwjc->bhkwlc", _COSINES, _COSINES, blocks)
    kept = ops.round(found / step) * step
    pixels = ops.einsum("ki,lj,bhkwlc->bhiwjc", _COSINES, _COSINES, kept)
    return ops.reshape(pixels, (batch, high, wide, channels)) + 128


def mixed(x: Any, goals: Any, seed: Any, parameter: float, cut: float) -> tuple[Any, Any]:
    """Return each image mixed with another of the batch, and the goals by the same shares."""
    share = keras.random.beta((1, 1, 1, 1), parameter, parameter, seed=seed)
    other, side = ops.flip(x, axis=0), ops.sqrt(1 - share)
    pasted = ops.where(rectangle(x, side, side, seed), other, x)
    cutting = keras.random.uniform((1, 1, 1, 1), seed=seed) < cut
    views = ops.where(cutting, pasted, share * x + (1 - share) * other)
    weight = share[:, :, 0, 0]
    return views, weight * goals + (1 - weight) * ops.flip(goals, axis=0)
