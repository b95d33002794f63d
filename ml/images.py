"""Decode, orient and resize images for the models."""

import io
import logging

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

PHOTO_SIDE = 2048
"""Longer side in pixels of a photo that's kept and analysed, unless it's a panorama."""

PANORAMA = (1024, 8192)
"""Most pixels of a panorama's shorter and longer side: people in it are seen by its height."""

logger = logging.getLogger(__name__)

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImage(ValueError):
    """The bytes are not a complete encoded image."""


def decoded(encoded: bytes | None, name: str) -> Image.Image:
    """Return the decoded image, turned upright by its EXIF orientation.

    Raises UnreadableImage, with `name` in its message, if it can't be decoded.
    """
    try:
        image = Image.open(io.BytesIO(encoded or b""))
        image.load()
        how = turn(image)
        return image if how is None else image.transpose(how)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"{name} can't be read. Repair it or leave it out.") from error


def turn(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that turns a decoded image upright by its EXIF, or None.

    Decode the image first: reading the EXIF of a PNG decodes it, which would hide the error.
    """
    try:
        return _TRANSPOSE.get(int(image.getexif().get(ExifTags.Base.Orientation, 1)))
    except Exception as error:  # broken metadata doesn't make the picture unusable
        logger.info("ignored unreadable EXIF: %s", type(error).__name__)
        return None


def photo_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which a photo of any size is kept and analysed."""
    short, long = PANORAMA
    longer = round(max(size) / min(size) * short)
    return fitted(size, max(PHOTO_SIDE, min(longer, long)))


def fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return a size with the same proportions and a longer side of at most `side` pixels."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink(photo: Image.Image, side: int) -> Image.Image:
    """Return the photo as RGB with its longer side at most `side` pixels."""
    return _shrunk(photo, fitted(photo.size, side))


def shrink_photo(photo: Image.Image) -> Image.Image:
    """Return the photo as RGB at the size at which photos are kept."""
    return _shrunk(photo, photo_size(photo.size))


def _shrunk(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    photo = eight_bit(photo)
    if size == photo.size:
        return photo.convert("RGB")
    return photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2).convert("RGB")


def eight_bit(photo: Image.Image) -> Image.Image:
    """Return the photo with 8 bits per channel; Pillow's own conversion clips brighter values."""
    if photo.mode not in ("F", "I") and not photo.mode.startswith("I;16"):
        return photo
    values = np.nan_to_num(np.asarray(photo, dtype=np.float64))
    top = 65535 if values.max() > 255 else 255
    return Image.fromarray(np.clip(values * (255 / top), 0, 255).astype(np.uint8))


def bgr(photo: Image.Image) -> NDArray[np.uint8]:
    """Return (height, width, 3) bytes in the channel order of OpenCV."""
    return np.ascontiguousarray(np.asarray(photo.convert("RGB"))[:, :, ::-1])
