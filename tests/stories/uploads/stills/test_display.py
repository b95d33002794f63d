"""A photo is kept as a viewer shows it: in the colours of sRGB, cropped, upright, in good size."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from ml.display.hdr import BT2020, DISPLAY_P3, HLG, PQ, converted
from stories.services.uploads import read_upload
from stories.uploads.photos import MAX_STREAMED_PIXELS
from tests.stories.uploads.stills.files import (
    chunk,
    colour,
    encoded,
    read,
    with_chunks,
    with_property,
)

RED = (200, 60, 60)
SRGB_CURVE = 13
HDR = [(PQ, BT2020), (HLG, BT2020), (SRGB_CURVE, DISPLAY_P3)]
Colours = tuple[int, int]


def plain(rgb: tuple[int, ...] = RED) -> Image.Image:
    return Image.new("RGB", (64, 48), rgb)


def heic(colours: Colours) -> bytes:
    return encoded(plain(), "HEIF", **coded(colours))


def deep_heic(colours: Colours) -> bytes:
    """A HEIC of 10 bits, as phones write HDR."""
    pixels = np.full((48, 64, 3), np.array(RED) * 257, np.uint16)
    out = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (64, 48), pixels.tobytes()).save(out, **coded(colours))
    assert pillow_heif.open_heif(out, convert_hdr_to_8bit=False).info["bit_depth"] == 10
    return out.getvalue()


def coded(colours: Colours) -> dict[str, Any]:
    return {
        "quality": -1,
        "chroma": 444,
        "transfer_characteristics": colours[0],
        "color_primaries": colours[1],
        "matrix_coefficients": 9 if colours[1] == BT2020 else 6,
        "full_range_flag": 1,
    }


def avif(colours: Colours) -> bytes:
    made = encoded(plain(), "AVIF", quality=100, subsampling="4:4:4")
    place = made.index(b"colrnclx") + 8
    return made[:place] + struct.pack(">HH", *colours[::-1]) + made[place + 4 :]


def png(colours: Colours) -> bytes:
    return with_chunks(encoded(plain(), "PNG"), chunk(b"cICP", bytes((*colours[::-1], 0, 1))))


@pytest.mark.parametrize("colours", HDR, ids=["PQ", "HLG", "Display P3"])
@pytest.mark.parametrize("make", [heic, deep_heic, avif, png])
def test_colours_named_by_numbers_become_those_of_srgb(make: Any, colours: Colours) -> None:
    wanted = converted(np.array([RED]) / 255, *colours)[0] * 255
    assert np.abs(wanted - RED).max() > 15
    assert colour(read(make(colours))) == pytest.approx(wanted, abs=8)


def profile(*primaries: tuple[float, float, float]) -> bytes:
    """An ICC profile of three primaries (XYZ under D50) with a gamma of 2.2."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    white = xyz(0.9642, 1.0, 0.8249)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = dict(zip(names, (xyz(*one) for one in primaries), strict=True)) | {b"wtpt": white}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    head = struct.pack(">I4xI", start + len(body), 0x02400000) + b"mntrRGB XYZ " + bytes(12)
    head += b"acsp" + bytes(28) + white[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


P3 = profile((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
ADOBE_RGB = profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("given", [P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
def test_colours_of_a_profile_become_those_of_srgb(kind: str, given: bytes) -> None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(given))
    srgb = ImageCms.createProfile("sRGB")
    wanted = colour(ImageCms.profileToProfile(plain(), source, srgb) or plain())
    assert max(abs(value - red) for value, red in zip(wanted, RED, strict=True)) > 10
    assert colour(read(encoded(plain(), kind, icc_profile=given))) == pytest.approx(wanted, abs=6)


BROKEN = {
    "cut off": P3[:200],
    "of inks": P3.replace(b"RGB ", b"CMYK"),
    "of a device link": P3.replace(b"mntr", b"link"),
    "without its mark": P3.replace(b"acsp", b"abcd"),
    "of ones": b"\xff" * 5000,
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_broken_profile_leaves_the_colours_as_they_are(kind: str, broken: str) -> None:
    seen = colour(read(encoded(plain(), kind, icc_profile=BROKEN[broken])))
    assert seen == pytest.approx(RED, abs=20)


def test_inks_are_converted() -> None:
    inks = Image.new("CMYK", (64, 48), (0, 200, 200, 30))
    assert colour(read(encoded(inks, "JPEG"))) == pytest.approx(colour(inks.convert("RGB")), abs=8)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_what_is_outside_the_clean_aperture_is_cut_off(kind: str) -> None:
    framed = Image.new("RGB", (256, 192), "black")
    framed.paste("white", (64, 48, 192, 144))
    aperture = struct.pack(">IIIIiIiI", 124, 1, 92, 1, 0, 1, 0, 1)
    seen = read(with_property(encoded(framed, kind, quality=90), b"clap", aperture))
    assert seen.size == (124, 92)
    assert np.asarray(seen).min() > 200


@pytest.mark.parametrize("kind", ["AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mirrored_or_turned_avif_is_upright(kind: str, orientation: int) -> None:
    image = Image.new("RGB", (64, 48), "black")
    image.paste("white", (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    seen = np.asarray(read(encoded(image, kind, exif=exif.tobytes())).convert("L"))
    x, y = (0, 0, 1, 1, 0, 0, 1, 1, 0)[orientation], (0, 0, 0, 1, 1, 0, 0, 1, 1)[orientation]
    height, width = seen.shape
    assert (height, width) == ((64, 48) if orientation > 4 else (48, 64))
    assert seen[4 + y * (height - 8), 4 + x * (width - 8)] > 200
    assert seen[4 + (1 - y) * (height - 8), 4 + (1 - x) * (width - 8)] < 50


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((8160, 6144), (2048, 1542)),
        ((16000, 2500), (6554, 1024)),
        ((20000, 4000), (5120, 1024)),
        ((2500, 16000), (1024, 6554)),
        ((20000, 300), (8192, 123)),
        ((1, 30000), (1, 8192)),
        ((16384, 12288), (2048, 1536)),
    ],
)
def test_large_photos_and_panoramas_keep_what_shows_people(
    size: tuple[int, int], kept: tuple[int, int], tmp_path: Path
) -> None:
    assert size[0] * size[1] <= MAX_STREAMED_PIXELS
    with (tmp_path / "photo.jpg").open("w+b") as file:
        file.write(flat_jpeg(*size))
        photo = read_upload(file).photo  # in the sandbox, with its limits of memory and time
    assert (photo.width, photo.height) == kept


def flat_jpeg(width: int, height: int) -> bytes:
    """A grey JPEG of any size, made without its pixels.

    Of each block it has the bits 0 0: no change of the mean, and nothing else.
    """
    frame = struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0)
    one_code = bytes((1,)) + bytes(15) + b"\0"
    blocks = -(-width // 8) * -(-height // 8)
    scan = b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 0, 63, 0)
    tables = b"\xff\xdb\0\x43\0" + b"\1" * 64
    for kind in (b"\0", b"\x10"):
        tables += b"\xff\xc4" + struct.pack(">H", 2 + 1 + len(one_code)) + kind + one_code
    head = b"\xff\xd8" + tables + b"\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame
    return head + scan + bytes(-(-blocks * 2 // 8)) + b"\xff\xd9"
