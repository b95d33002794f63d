"""The mood of a whole photo: valence and energy as about a hundred people would rate it.

A Gaussian process on the features of two image backbones, learned from OASIS (Kurdi, Lozano &
Banaji 2017, Behavior Research Methods 49, 457-470); `ml/models/scene/CARD.md` says how well.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

from ml.action.backbone import WIDTH, Encoding, summary
from ml.manifest import model_file
from ml.mood import PHOTOS, Gaussian
from ml.scene.backbone import encode
from ml.scene.colour import light_and_colour
from ml.scene.gaussian_process import Blocks, Process
from ml.types import Float64Array, Scene


@cache
def process() -> Process:
    """Return the shipped process, once per process of the worker."""
    return Process.load(model_file("scene"))


def scene_of(view: Image.Image, seen: Encoding) -> Scene:
    """Return light, colour and mood of a view, made by `preprocess`, and of its encoding."""
    light, colour = light_and_colour(view)
    (mood,) = moods_of(*process().predict(features_of([view], seen)))
    return Scene(light, colour, mood)


def features_of(views: Sequence[Image.Image], seen: Encoding) -> Blocks:
    """Return the features of n views and their encoding.

    They are the class token and the mean of the patch tokens after each of the last blocks of
    DINOv2, and those of TinyViT.
    """
    layers = {"ten": summary(seen.tokens), "eleven": seen.late, "twelve": seen.features}
    return {
        f"{name}_{part}": np.asarray(values, dtype=np.float64)
        for name, layer in layers.items()
        for part, values in zip(("class", "patches"), np.split(layer, [WIDTH // 2], 1), strict=True)
    } | encode(views)


def moods_of(means: Float64Array, variances: Float64Array) -> list[Gaussian]:
    """Return the moods for standardised ratings (n, 2) of valence and arousal.

    The usual photo lies in the middle of music, and one standard deviation of the ratings is one of
    music's: arousal isn't music's energy, but a photo that is more arousing than most gets music
    more energetic than most. Since the ratings are predicted and not known, predictions lie nearer
    to the middle than ratings do.
    """
    sd = np.sqrt(PHOTOS.covariance.diagonal())
    return [
        Gaussian(PHOTOS.mean + sd * mean, np.diag(sd**2 * variance))
        for mean, variance in zip(means, variances, strict=True)
    ]


def mean_scene(scenes: Sequence[Scene]) -> Scene:
    """Return the scene of a video: its frames are repeated views of one scene."""
    mean = np.mean([scene.mood.mean for scene in scenes], axis=0)
    covariance = np.mean([scene.mood.covariance for scene in scenes], axis=0)
    light = float(np.mean([scene.light for scene in scenes]))
    colour = float(np.mean([scene.colour for scene in scenes]))
    return Scene(light, colour, Gaussian(mean, covariance))
