"""Small whole files of every accepted type, each with a marker in all places where data hides."""

import io
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image, PngImagePlugin

MARKER = b"Hidden-Place-48.1370-011.5750"
SIZE = (160, 120)
XMP = b"http://ns.adobe.com/xap/1.0/\0"
_VIDEOS = (
    ("mp4", "libx264"),
    ("mov", "libx264"),
    ("webm", "libvpx"),
    ("matroska", "libx264"),
    ("mp4", "libx265"),
)


def seeds() -> dict[str, bytes]:
    """Name and content of each file; the same ones at every call."""
    return {**_photos(), **{f"{form} {codec}": _video(form, codec) for form, codec in _VIDEOS}}


def scene(seed: int = 1) -> Image.Image:
    """A picture with detail everywhere, as photographs have it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _photos() -> dict[str, bytes]:
    picture, exif = scene(), Image.Exif()
    exif[0x010E] = MARKER.decode()  # description
    exif[0x0112] = 6  # turned
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", MARKER.decode())
    text.add_itxt("XML:com.adobe.xmp", MARKER.decode(), zip=True)
    moves = {"save_all": True, "append_images": [scene(2), scene(3)], "duration": 200}
    jpeg = _encoded(picture, "JPEG", exif=exif, comment=MARKER, quality=85)
    return {
        "jpeg": jpeg[:2]
        + jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + MARKER)
        + jpeg[2:],
        "jpeg progressive": _encoded(picture, "JPEG", exif=exif, progressive=True),
        "jpeg cmyk": _encoded(picture.convert("CMYK"), "JPEG", comment=MARKER),
        "jpeg grey": _encoded(picture.convert("L"), "JPEG", comment=MARKER),
        "png": _encoded(picture, "PNG", pnginfo=text, exif=exif),
        "png palette": _encoded(picture.quantize(32), "PNG", pnginfo=text),
        "webp": _encoded(picture, "WEBP", exif=exif, xmp=MARKER),
        "avif": _encoded(picture, "AVIF", exif=exif, xmp=MARKER),
        "gif": _encoded(picture, "GIF", comment=MARKER),
        "gif moving": _encoded(picture, "GIF", comment=MARKER, **moves),
        "webp moving": _encoded(picture, "WEBP", exif=exif, **moves),
        "heic": _heic(picture, exif),
    }


def _encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _heic(picture: Image.Image, exif: Image.Exif) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, exif=exif.tobytes(), quality=70)
    return out.getvalue()


def _video(form: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=form) as target:
        target.metadata["comment"] = MARKER.decode()
        stream: Any = target.add_stream(codec, rate=10)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(10):
            frame: Any = av.VideoFrame.from_image(scene(number))  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, 10)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()
