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
from PIL import Image, ImageCms, ImageFilter, JpegImagePlugin

from ml.display.hdr import SIZE, needs_table, table
from ml.images import fitted, photo_size, turn
from stories.uploads.formats import ACCEPTED, PHOTO, describe_refused
from stories.uploads.stills import jpeg, take_picture
from stories.uploads.stills.picture import Picture

MAX_PHOTO_BYTES = PHOTO.max_bytes
MAX_PIXELS = PHOTO.max_pixels
# A JPEG whose rows come one after the other is decoded at a half, a quarter or an eighth.
MAX_STREAMED_PIXELS = 202_000_000
THUMBNAIL_SIDE = 480
STRIP_ROWS = 64

# The upload page shows the same messages before it sends a file.
WRONG_TYPE = f"Please choose {ACCEPTED}."
EMPTY = f"This file is empty. {WRONG_TYPE}"
TOO_LARGE = f"This photo is larger than {PHOTO.megabytes} MB. Please choose a smaller one."
DAMAGED = (
    "This photo is damaged or incomplete, or coded in a rare way. Please choose another one, copy "
    "it from your phone or camera anew, or save it as a JPEG there."
)
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
    """Encode an upright RGB picture of the size to keep, and its thumbnail."""
    image.info = {}  # Pillow would write a comment or XMP found here into the new files
    small = _shrink(image, fitted(image.size, THUMBNAIL_SIDE), reducing_gap=1.5)  # twice as fast
    return CleanPhoto(_encode(image), _encode(small), image.width, image.height)


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
        picture = take_picture(data, kind)
        with _open(picture, kind) as image:
            _check_header(image, MAX_STREAMED_PIXELS if picture.is_streamed else MAX_PIXELS)
            return _normalise(image, picture)
    except UploadError:
        raise
    except MemoryError as error:
        raise UploadError("too_costly", TOO_COSTLY) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(MAX_PIXELS) from error
    except Exception as error:
        # Decoders raise all kinds of errors for untrusted files.
        logger.info("refused an unreadable %s: %s", kind, type(error).__name__)
        raise UploadError("unreadable", DAMAGED) from error


def _open(picture: Picture, kind: str) -> Image.Image:
    """Open the picture with the one decoder; Pillow itself would refuse a very large JPEG."""
    file = io.BytesIO(picture.data)
    return JpegImagePlugin.JpegImageFile(file) if kind == "JPEG" else Image.open(file, "r", [kind])


def _check_header(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise _too_many_pixels(most)
    if image.width < 1 or image.height < 1:
        raise ValueError("no pixels")


def _too_many_pixels(most: int) -> UploadError:
    return UploadError(
        "too_many_pixels",
        f"This photo has more than {most // 10_000_000}0 megapixels. Please choose a smaller one.",
    )


def _normalise(image: Image.Image, picture: Picture) -> Image.Image:
    """Decode no larger than needed, then shrink, flatten, convert and turn upright."""
    if image.format == "JPEG":  # the only one that decodes at a half, a quarter or an eighth
        image.draft(image.mode, photo_size(image.size))
    image.load()
    if image.format == "JPEG" and _ends_even(image) and "progressive" not in image.info:
        jpeg.check_end(picture.data)
    if image.width * image.height > MAX_PIXELS:  # the header of a HEIC may have lied
        raise _too_many_pixels(MAX_PIXELS)
    if picture.exif:
        image.info["exif"] = picture.exif
    how = turn(image)
    whole = _cut(image, picture.margins)
    small = _shrink(_reduce(whole), photo_size(whole.size))
    plain = _to_srgb(
        small, picture.profile or image.info.get("icc_profile"), _colours(image, picture)
    )
    return plain if how is None else plain.transpose(how)


def _ends_even(image: Image.Image) -> bool:
    """Whether the last pixels are all alike, as where a decoder got no data."""
    corner = image.crop((max(0, image.width - 8), max(0, image.height - 8), *image.size))
    return corner.getcolors(1) is not None


def _cut(image: Image.Image, margins: tuple[int, int, int, int]) -> Image.Image:
    left, top, right, bottom = margins
    box = (left, top, image.width - right, image.height - bottom)
    fits = min(margins) >= 0 and box[0] < box[2] and box[1] < box[3]
    return image.crop(box) if any(margins) and fits else image


def _colours(image: Image.Image, picture: Picture) -> tuple[int, int] | None:
    """Return how colours are coded, in numbers; pillow-heif reads them for itself."""
    nclx = image.info.get("nclx_profile")
    if nclx:
        return nclx["transfer_characteristics"], nclx["color_primaries"]
    return picture.colours


def _reduce(image: Image.Image) -> Image.Image:
    """Convert to opaque 8-bit channels; reduce a far too large picture strip by strip.

    Strips avoid a second and third copy of 80 megapixels. The result is less than twice as large
    as what is kept.
    """
    factor = max(1, max(image.size) // max(photo_size(image.size)))
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


def _shrink(image: Image.Image, size: tuple[int, int], *, reducing_gap: float = 2.0) -> Image.Image:
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=reducing_gap)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _to_srgb(
    image: Image.Image, profile: bytes | None, colours: tuple[int, int] | None
) -> Image.Image:
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
    elif colours and needs_table(*colours):
        return image.convert("RGB").filter(ImageFilter.Color3DLUT(SIZE, table(*colours)))
    return image.convert("RGB")


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
