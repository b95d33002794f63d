"""Frozen image features beside DINOv2's: TinyViT-5M (Wu et al. 2022) through onnxruntime.

It learned the 22,000 classes of ImageNet from CLIP, so it knows what things are, where DINOv2 has
never seen a label.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import onnxruntime
from PIL import Image

from ml.action.backbone import pixels, session_of
from ml.types import Float64Array

WIDTH = 320
"""Features of each kind."""

_THIRD = "/stages/stages.2/Transpose_1_output_0"  # (n, 160, 14, 14)
_FOURTH = "/stages/stages.3/Transpose_1_output_0"  # (n, 320, 7, 7)


@cache
def session() -> onnxruntime.InferenceSession:
    """Return the loaded backbone, once per process."""
    return session_of("tinyvit", _THIRD, _FOURTH)


def encode(views: Sequence[Image.Image]) -> dict[str, Float64Array]:
    """Return blocks of features (n, WIDTH) of n RGB views of 224 by 224 pixels.

    "tiny" is the network's own summary, "tiny_spread" how much the last stage varies over the
    photo, "tiny_third" mean and variation of the stage before.
    """
    names = ["output", _THIRD, _FOURTH]
    summary, third, fourth = session().run(names, {"input": pixels(views)})
    third, fourth = (maps.reshape(*maps.shape[:2], -1) for maps in (third, fourth))
    return {
        "tiny": summary.astype(np.float64),
        "tiny_spread": fourth.std(axis=2, dtype=np.float64),
        "tiny_third": np.hstack([third.mean(axis=2), third.std(axis=2)]).astype(np.float64),
    }
