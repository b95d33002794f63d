"""Photos as arrays: the few conversions that several models need."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def shrink(photo: Image.Image, side: int) -> Image.Image:
    """Return the photo as RGB with its longer side at most `side` pixels."""
    scale = side / max(photo.size)
    if scale >= 1:
        return photo.convert("RGB")
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2).convert("RGB")


def bgr(photo: Image.Image) -> NDArray[np.uint8]:
    """Return (height, width, 3) bytes in the channel order of OpenCV."""
    return np.ascontiguousarray(np.asarray(photo.convert("RGB"))[:, :, ::-1])
