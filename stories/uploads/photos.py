"""Converts untrusted uploads to plain, upright sRGB JPEGs, or refuses them with a reason.

The type of a file is detected from its content, never from its name or the client's MIME type. Size
and number of pixels are checked before decoding. The picture is re-encoded from its pixels, without
metadata, embedded thumbnails, colour profiles and anything appended to the file.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Protocol

import pillow_heif
from PIL import Image, ImageCms

from ml.images import turn
from stories.uploads.formats import ACCEPTED, PHOTO, describe_refused

MAX_PHOTO_BYTES = PHOTO.max_bytes
MAX_PIXELS = PHOTO.max_pixels
PHOTO_SIDE = 2048
THUMBNAIL_SIDE = 480
# A progressive JPEG has about ten scans; decoding thousands of empty ones would take hours.
MAX_JPEG_SCANS = 64
STRIP_ROWS = 64

# The upload page shows the same messages before it sends a file.
WRONG_TYPE = f"Please choose {ACCEPTED}."
EMPTY = f"This file is empty. {WRONG_TYPE}"
TOO_LARGE = f"This photo is larger than {PHOTO.megabytes} MB. Please choose a smaller one."
TOO_COSTLY = (
    "Reading this file takes too much memory or time. Please choose another one, or export it "
    "again from a photo or video app."
)

logger = logging.getLogger(__name__)
pillow_heif.register_heif_opener(thumbnails=False)


class UploadError(Exception):
    """The upload is refused; `str()` is the reason for people, `code` the one for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Upload(Protocol):
    """A binary file, as Django's uploads and Python's file objects are."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> object: ...

    def tell(self) -> int: ...


@dataclass(frozen=True)
class CleanPhoto:
    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int


def read_photo(upload: Upload) -> CleanPhoto:
    """Check, decode and re-encode a photo. Raises UploadError for anything else."""
    data = _read_bytes(upload)
    return clean_picture(_decode(data, _detect(data)))


def clean_picture(image: Image.Image) -> CleanPhoto:
    """Encode an upright RGB picture of at most PHOTO_SIDE, and its thumbnail."""
    photo = _encode(image)
    thumbnail = _encode(_shrink(image, THUMBNAIL_SIDE))
    return CleanPhoto(photo, thumbnail, image.width, image.height)


def _read_bytes(upload: Upload) -> bytes:
    upload.seek(0)
    data = upload.read(MAX_PHOTO_BYTES + 1)
    if not data:
        raise UploadError("empty", EMPTY)
    if len(data) > MAX_PHOTO_BYTES:
        raise UploadError("too_large", TOO_LARGE)
    return data


def _detect(data: bytes) -> str:
    """Find the one Pillow format that may decode this file, by its first bytes."""
    found = PHOTO.detect(data)
    if found is None:
        raise UploadError(
            "unsupported_type", f"This file is {describe_refused(data)}. {WRONG_TYPE}"
        )
    return found.decoder


def _decode(data: bytes, kind: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            _check_header(image, data, kind)
            return _normalise(image, kind)
    except UploadError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        # Decoders raise all kinds of errors for untrusted files.
        logger.info("refused an unreadable %s: %s", kind, type(error).__name__)
        raise UploadError(
            "unreadable",
            "This photo is damaged or incomplete. Please choose another one, or upload it again.",
        ) from error


def _check_header(image: Image.Image, data: bytes, kind: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()
    if image.width < 1 or image.height < 1:
        raise ValueError("no pixels")
    if kind == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise ValueError("too many scans")


def _too_many_pixels() -> UploadError:
    return UploadError(
        "too_many_pixels",
        f"This photo has more than {PHOTO.resolution}. Please choose a smaller one.",
    )


def _normalise(image: Image.Image, kind: str) -> Image.Image:
    """Decode no larger than needed, then shrink, flatten, convert and turn upright."""
    profile = image.info.get("icc_profile")
    if kind == "JPEG":  # the only one that decodes at a half, a quarter or an eighth
        image.draft(image.mode, _fitting(image.size, PHOTO_SIDE))
    image.load()
    if image.width * image.height > MAX_PIXELS:  # the header of a HEIC may have lied
        raise _too_many_pixels()
    how = turn(image)
    plain = _to_rgb(_shrink(_reduce(image), PHOTO_SIDE), profile)
    return plain if how is None else plain.transpose(how)


def _reduce(image: Image.Image) -> Image.Image:
    """Convert to opaque 8-bit channels; reduce a far too large picture strip by strip.

    Strips avoid a second and third copy of 50 megapixels. The result is at least twice PHOTO_SIDE,
    as with the `reducing_gap` of `resize`.
    """
    factor = max(1, max(image.size) // (2 * PHOTO_SIDE))
    if factor == 1:
        return _on_white(_to_8_bit(image))
    strips = [_strip(image, top, factor) for top in range(0, image.height, factor * STRIP_ROWS)]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        whole.paste(strip, (0, number * STRIP_ROWS))
    return whole


def _strip(image: Image.Image, top: int, factor: int) -> Image.Image:
    bottom = min(top + factor * STRIP_ROWS, image.height)
    strip = image.crop((0, top, image.width, bottom))
    return _on_white(_to_8_bit(strip)).reduce(factor)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """To a mode that can be resized smoothly; transparency becomes an alpha channel."""
    if image.mode.startswith("I"):
        return _from_16_bit(image)
    if image.mode in {"L", "RGB", "CMYK", "LA", "RGBA"} and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    table = [shade >> 8 for shade in range(1 << 16)]
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        table[transparent & 0xFFFF] = 0xFF
    return image.convert("I").point(table, "L")


def _fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrink(image: Image.Image, side: int) -> Image.Image:
    size = _fitting(image.size, side)
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            # Damaged, or made for another colour space: the plain conversion is close enough.
            logger.info("ignored a colour profile: %s", type(error).__name__)
        else:
            return converted or image.convert("RGB")
    return image.convert("RGB")


def _encode(image: Image.Image) -> bytes:
    bare = image.copy()
    bare.info = {}  # Pillow would write a comment or XMP found here into the new file
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=90)
    return out.getvalue()
