"""What is around a picture doesn't decide whether it can be read; what is missing of it does."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageChops

from stories.uploads.stills import take_picture
from tests.stories.uploads.stills.files import (
    box,
    chunk,
    colour,
    encoded,
    read,
    refused,
    scene,
    segment,
    with_chunks,
    with_segments,
)

RNG = np.random.default_rng(2)
SCENE = scene()
JPEG = encoded(SCENE, "JPEG", quality=90)
PROGRESSIVE = encoded(SCENE, "JPEG", quality=90, progressive=True)
PNG = encoded(SCENE, "PNG")
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def motion_photo() -> bytes:
    """A JPEG with a video behind it, in which the marker of a scan occurs a thousand times."""
    return JPEG + box(b"ftyp", b"mp42\0\0\0\0") + box(b"mdat", RNG.bytes(64) + b"\xff\xda" * 1000)


def ultra_hdr() -> bytes:
    """A JPEG with the description of a gain map and the map itself."""
    listed = segment(0xE2, b"MPF\0MM\0*\0\0\0\x08" + b"\xff" * 60)
    gain_map = encoded(SCENE.convert("L").resize((80, 60)), "JPEG")
    return with_segments(JPEG, segment(0xE1, XMP + b"<hdrgm/>"), listed) + gain_map


def several_pictures() -> bytes:
    return encoded(SCENE, "MPO", quality=90, save_all=True, append_images=[scene(160, 120)] * 2)


AROUND_JPEG: dict[str, Callable[[], bytes]] = {
    "a video": motion_photo,
    "a gain map": ultra_hdr,
    "more pictures": several_pictures,
    "a picture cut off": lambda: several_pictures()[:-3000],
    "nothing but zeros": lambda: JPEG + bytes(9999),
    "broken EXIF": lambda: with_segments(JPEG, segment(0xE1, b"Exif\0\0II*\0" + RNG.bytes(999))),
    "EXIF twice": lambda: with_segments(JPEG, *[segment(0xE1, b"Exif\0\0" + RNG.bytes(60000))] * 2),
    "6 MB of XMP": lambda: with_segments(JPEG, *[segment(0xE1, XMP + b"\xff\xda" * 30000)] * 100),
    "a profile in no part": lambda: with_segments(JPEG, segment(0xE2, b"ICC_PROFILE\0")),
    "a profile in 1 of 5 parts": lambda: with_segments(
        JPEG, segment(0xE2, b"ICC_PROFILE\0\1\5" + RNG.bytes(500))
    ),
    "a profile of 16 MB": lambda: with_segments(
        JPEG,
        *(segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + bytes(65000)) for n in range(1, 256)),
    ),
    "Adobe's segment cut short": lambda: with_segments(JPEG, segment(0xEE, b"Adobe")),
    "JFIF's segment cut short": lambda: with_segments(JPEG, segment(0xE0, b"JFIF")),
    "Photoshop's cut short": lambda: with_segments(
        JPEG, segment(0xED, b"Photoshop 3.0\0008BIM\x03\xed")
    ),
    "bytes between segments": lambda: JPEG.replace(b"\xff\xdb", b"junk\xff\xff\xff\xdb", 1),
}


@pytest.mark.parametrize("around", AROUND_JPEG)
def test_what_is_around_a_jpeg_does_not_matter(around: str) -> None:
    assert_same(read(AROUND_JPEG[around]()), read(JPEG))


AROUND_PNG = {
    "a text that unpacks to 5 MB": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))),
    "XMP that unpacks to 5 MB": chunk(
        b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(5_000_000))
    ),
    "a text packed in no known way": chunk(b"zTXt", b"a\0\7" + RNG.bytes(50)),
    "100 texts of 1 MB": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 100,
    "a profile that unpacks to 5 MB": chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(5_000_000))),
    "a broken profile": chunk(b"iCCP", b"a\0\0" + RNG.bytes(50)),
    "a profile packed in no known way": chunk(b"iCCP", b"a\0\7" + RNG.bytes(50)),
    "an empty profile": chunk(b"iCCP", b""),
    "broken EXIF": chunk(b"eXIf", RNG.bytes(500)),
    "a wrong sum": chunk(b"tEXt", b"a\0b")[:-4] + bytes(4),
    "empty chunks": chunk(b"pHYs", b"") + chunk(b"gAMA", b"") + chunk(b"cHRM", b""),
    "an empty animation": chunk(b"acTL", b""),
    "colours cut short": chunk(b"cICP", b"\t"),
}


@pytest.mark.parametrize("around", AROUND_PNG)
def test_what_is_around_a_png_does_not_matter(around: str) -> None:
    assert_same(read(with_chunks(PNG, AROUND_PNG[around])), read(PNG))


@pytest.mark.parametrize("less", [5, 12])
def test_a_png_without_its_last_chunk_is_read(less: int) -> None:
    assert_same(read(PNG[:-less]), read(PNG))


def webp(**options: bytes) -> bytes:
    return encoded(SCENE, "WEBP", **options)


AROUND_WEBP = {
    "EXIF cut off": lambda: webp(exif=b"Exif\0\0" + RNG.bytes(3000))[:-1500],
    "its last byte cut off": lambda: webp(exif=b"Exif\0\0" + RNG.bytes(3001))[:-1],
    "a broken profile": lambda: webp(icc_profile=RNG.bytes(3000)),
    "a video": lambda: webp() + box(b"mdat", RNG.bytes(999)),
}


@pytest.mark.parametrize("around", AROUND_WEBP)
def test_what_is_around_a_webp_does_not_matter(around: str) -> None:
    assert_same(read(AROUND_WEBP[around]()), read(webp()))


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_broken_metadata_of_heics_and_avifs_do_not_matter(kind: str) -> None:
    small = scene(96, 64)
    sent = encoded(small, kind, exif=b"Exif\0\0II*\0\x08\0\0\0" + bytes(99), xmp=b"<x:xmpmeta/>")
    broken = sent.replace(b"II*\0\x08\0\0\0", b"no\xff\xff\xff\xff\xff\xff")
    assert broken != sent
    assert_same(read(broken), read(encoded(small, kind)))


@pytest.mark.parametrize("jpeg", [JPEG, PROGRESSIVE], ids=["sequential", "progressive"])
@pytest.mark.parametrize("less", [1, 2, 20])
def test_a_jpeg_without_its_last_bytes_is_read(jpeg: bytes, less: int) -> None:
    difference = ImageChops.difference(read(jpeg[:-less]), read(jpeg))
    assert np.asarray(difference).mean() < 1


def test_a_progressive_jpeg_that_misses_only_fine_detail_is_read() -> None:
    cut = read(PROGRESSIVE[: len(PROGRESSIVE) * 97 // 100])
    assert np.asarray(ImageChops.difference(cut, read(PROGRESSIVE))).mean() < 1


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (300, 1), (1, 300), (50, 37)])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_small_jpeg_without_its_last_bytes_is_read(size: tuple[int, int], mode: str) -> None:
    whole = encoded(SCENE.resize(size).convert(mode), "JPEG")
    assert_same(read(whole[:-2]), read(whole))


@pytest.mark.parametrize("jpeg", [JPEG, PROGRESSIVE], ids=["sequential", "progressive"])
def test_a_jpeg_without_its_last_tenth_is_refused(jpeg: bytes) -> None:
    error = refused(jpeg[: len(jpeg) * 9 // 10])
    assert error.code == "unreadable"
    assert "copy it from your phone or camera anew" in str(error)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_part_of_a_jpeg_that_somebody_closed_is_refused(kept: float, mode: str) -> None:
    whole = encoded(SCENE.convert(mode), "JPEG", quality=90)
    assert refused(whole[: int(kept * len(whole))] + b"\xff\xd9").code == "unreadable"


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_jpeg_with_an_even_end_is_read(shade: int) -> None:
    picture = SCENE.copy()
    picture.paste((shade, shade, shade), (0, picture.height // 2, *picture.size))
    assert read(encoded(picture, "JPEG", quality=90)).size == picture.size


def test_a_jpeg_that_no_decoder_knows_is_refused_with_a_way_out() -> None:
    precision = JPEG.index(b"\xff\xc0") + 4
    error = refused(JPEG[:precision] + bytes((12,)) + JPEG[precision + 1 :])
    assert error.code == "unreadable"
    assert "coded in a rare way" in str(error)
    assert "save it as a JPEG" in str(error)


@pytest.mark.parametrize("kept", [0, 2, 4, 8, 20])
def test_a_progressive_jpeg_without_its_last_scan_is_refused(kept: int) -> None:
    last = PROGRESSIVE.rindex(b"\xff\xda")
    assert refused(PROGRESSIVE[: last + kept]).code == "unreadable"


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photo() -> None:
    thumbnail = encoded(SCENE.resize((64, 48)), "JPEG")
    whole = with_segments(JPEG, segment(0xE1, b"Exif\0\0MM\0*" + thumbnail))
    assert_same(read(whole), read(JPEG))
    assert refused(whole[: len(whole) * 9 // 10]).code == "unreadable"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF"])
def test_other_pictures_without_their_last_tenth_are_refused(kind: str) -> None:
    whole = encoded(scene(96, 64), kind)
    assert refused(whole[: len(whole) * 9 // 10]).code == "unreadable"


def test_a_profile_in_parts_is_joined_in_their_order() -> None:
    parts = [segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 2)) + text) for n, text in PARTS.items()]
    assert take_picture(with_segments(JPEG, *parts), "JPEG").profile == b"first second"


PARTS = {2: b" second", 1: b"first"}


@pytest.mark.parametrize(("depth", "shade"), [(1, 255), (2, 85), (4, 85), (8, 90), (16, 90)])
def test_greys_of_any_depth_keep_their_shade(depth: int, shade: int) -> None:
    row = b"\0" + bytes((shade,)) * (64 * depth // 8)
    header = struct.pack(">IIBBBBB", 64, 48, depth, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(row * 48))
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")
    assert colour(read(picture)) == pytest.approx([shade] * 3, abs=3)


@pytest.mark.parametrize(("shares", "seen"), [(1, (255, 255, 255)), (b"\xff\x80", (127, 127, 255))])
def test_colours_of_a_palette_may_be_transparent(
    shares: int | bytes, seen: tuple[int, int, int]
) -> None:
    blue = Image.new("P", (64, 48), 1)
    blue.putpalette([255, 0, 0, 0, 0, 255])
    assert colour(read(encoded(blue, "PNG", transparency=shares))) == pytest.approx(seen, abs=4)


def assert_same(seen: Image.Image, wanted: Image.Image) -> None:
    assert seen.size == wanted.size
    assert np.asarray(ImageChops.difference(seen, wanted)).max() <= 2
