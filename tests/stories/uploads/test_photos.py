"""What strangers send: every kind of photo, and everything that only looks like one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ml.images import PHOTO_SIDE
from stories.uploads.formats import ACCEPTED
from stories.uploads.photos import (
    MAX_PHOTO_BYTES,
    THUMBNAIL_SIDE,
    CleanPhoto,
    UploadError,
    read_photo,
)
from stories.uploads.stills.jpeg import MAX_SCANS
from tests.factories import make_photo_bytes

KINDS = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "L", "1", "P", "LA", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA", "L"),
    "HEIF": ("RGB", "RGBA", "L"),
}
SECRET = "Secret-Maker-4711"
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(data: bytes) -> CleanPhoto:
    return read_photo(io.BytesIO(data))


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def refused(data: bytes) -> UploadError:
    with pytest.raises(UploadError) as refusal:
        read(data)
    return refusal.value


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def assert_clean(photo: CleanPhoto) -> Image.Image:
    image, thumbnail = opened(photo.jpeg), opened(photo.thumbnail)
    for one, side in ((image, PHOTO_SIDE), (thumbnail, THUMBNAIL_SIDE)):
        assert one.format == "JPEG"
        assert one.mode == "RGB"
        assert max(one.size) <= side
        assert not one.getexif()
        assert set(one.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert image.size == (photo.width, photo.height)
    return image


kinds = st.sampled_from([(kind, mode) for kind, modes in KINDS.items() for mode in modes])
# libheif's encoder refuses pictures of a few pixels; nobody sends those as HEIC.
sides = st.integers(min_value=16, max_value=90)


@relaxed
@given(
    kind=kinds, width=sides, height=sides, orientation=st.integers(0, 9), shade=st.integers(0, 255)
)
def test_any_photo_comes_back_upright_and_bare(
    kind: tuple[str, str], width: int, height: int, orientation: int, shade: int
) -> None:
    form, mode = kind
    image = Image.new("L", (width, height), shade)
    if mode == "I;16":
        image = Image.fromarray(np.full((height, width), shade * 257, np.uint16))
    elif mode != "1":
        image = image.convert(mode)
    else:
        image, shade = image.point(lambda v: 255 * (v > 127)).convert("1"), 255 * (shade > 127)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, SECRET
    photo = read(encoded(image, form, exif=exif.tobytes()))
    upright = assert_clean(photo)
    turned = 5 <= orientation <= 8
    assert upright.size == ((height, width) if turned else (width, height))
    assert SECRET.encode() not in photo.jpeg + photo.thumbnail
    assert abs(float(np.asarray(upright).mean()) - shade) <= 6


@pytest.mark.parametrize("form", KINDS)
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "00"), (2, "10"), (3, "11"), (4, "01"), (5, "00"), (6, "10"), (7, "11"), (8, "01")],
)
def test_each_orientation_puts_the_corner_where_it_belongs(
    form: str, orientation: int, corner: str
) -> None:
    image = Image.new("RGB", (64, 48), "black")
    image.paste("white", (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = np.asarray(opened(read(encoded(image, form, exif=exif.tobytes())).jpeg).convert("L"))
    x, y = (int(side) for side in corner)
    height, width = upright.shape
    bright = upright[4 + y * (height - 8), 4 + x * (width - 8)]
    dark = upright[4 + (1 - y) * (height - 8), 4 + (1 - x) * (width - 8)]
    assert bright > 200 > 50 > dark


@relaxed
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data: bytes) -> None:
    assert str(refused(data))


def test_png_that_breaks_off_in_its_pixels_is_refused() -> None:
    head = make_photo_bytes(kind="PNG")[:40]
    assert refused(head + b"T\x00\x00").code == "unreadable"


@relaxed
@given(
    kind=st.sampled_from([*KINDS]),
    tail=st.binary(max_size=300),
)
def test_random_bytes_behind_a_true_beginning_never_crash(kind: str, tail: bytes) -> None:
    head = make_photo_bytes(kind=kind)[:40]
    assert refused(head + tail).code in {"unreadable", "too_many_pixels", "unsupported_type"}


@settings(relaxed, max_examples=150)
@given(data=st.data(), kind=st.sampled_from([*KINDS]))
def test_mutated_files_are_refused_or_clean(data: st.DataObject, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, SECRET
    whole = bytearray(make_photo_bytes(kind=kind, exif=exif.tobytes()))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        photo = read(bytes(whole[: cut or None]))
    except UploadError as error:
        assert error.code in {"unreadable", "unsupported_type", "too_many_pixels"}  # noqa: PT017
    else:
        assert_clean(photo)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_photo_is_refused(kind: str, share: float) -> None:
    rng = np.random.default_rng(7)
    noise = Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8))
    whole = encoded(noise, kind)
    error = refused(whole[: int(len(whole) * share)])
    assert error.code == "unreadable"
    assert "damaged or incomplete" in str(error)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (make_photo_bytes(kind="TIFF"), "a TIFF"),
        (make_photo_bytes(kind="BMP"), "a BMP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "an SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?>\n<svg></svg>", "an SVG"),
        (b"<!doctype html><img src=x>", "a web page"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "a video"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "a raw photo"),
        (b"ID3\x04\x00\x00", "only sound"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "only sound"),
        (b"OggS\x00\x02".ljust(28, b"\x00") + b"OpusHead", "only sound"),
        (b"OggS\x00\x02".ljust(28, b"\x00") + b"\x80theora", "a video of another kind"),
        (b"hello", "neither a photo nor a video that we can read"),
    ],
)
def test_other_files_are_refused_by_their_name(data: bytes, name: str) -> None:
    error = refused(data)
    assert error.code == "unsupported_type"
    assert name in str(error)
    assert f"Please choose {ACCEPTED}." in str(error)


@pytest.mark.parametrize(("kind", "mode"), [("GIF", "P"), ("AVIF", "RGB"), ("AVIF", "RGBA")])
def test_still_gifs_and_avifs_are_photos(kind: str, mode: str) -> None:
    photo = read_photo(io.BytesIO(make_photo_bytes(kind=kind, mode=mode)))
    assert (photo.width, photo.height) == (64, 48)


def test_an_empty_file_is_refused() -> None:
    assert refused(b"").code == "empty"


def test_a_file_over_20_mb_is_refused_and_one_of_20_mb_is_not() -> None:
    photo = make_photo_bytes()
    assert refused(photo + bytes(MAX_PHOTO_BYTES - len(photo) + 1)).code == "too_large"
    assert_clean(read(photo + bytes(MAX_PHOTO_BYTES - len(photo))))


@pytest.mark.parametrize("side", [8945, 60_000, 2**31 - 1])
def test_a_png_that_claims_too_many_pixels_is_refused_undecoded(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    body = b"IDAT" + zlib.compress(bytes(100_000))
    data = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    error = refused(b"\x89PNG\r\n\x1a\n" + chunk + data)
    assert error.code == "too_many_pixels"
    assert "80 megapixels" in str(error)


@pytest.mark.parametrize("options", [{"quality": 1}, {"quality": 1, "progressive": True}])
def test_other_headers_that_claim_too_many_pixels_are_refused(options: dict[str, Any]) -> None:
    small = encoded(Image.new("L", (64, 48)), "JPEG", **options)
    sizes = small.replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 65_000, 9_000), 1)
    assert refused(sizes).code == "too_many_pixels"


def test_a_jpeg_with_thousands_of_scans_is_refused() -> None:
    progressive = make_photo_bytes(progressive=True)
    assert_clean(read(progressive))
    last = progressive.rindex(b"\xff\xda")
    scans = progressive[last:-2] * (MAX_SCANS + 1)
    assert refused(progressive[:-2] + scans + b"\xff\xd9").code == "unreadable"


def test_a_polyglot_loses_its_second_nature() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as hidden:
        hidden.writestr("evil.html", "<script>alert(1)</script>")
    tail = archive.getvalue() + b"<script>alert(1)</script>"
    photo = read(make_photo_bytes(comment=b"<?php evil(); ?>") + tail)
    assert_clean(photo)
    for trace in (b"PK\x03\x04", b"<script>", b"<?php"):
        assert trace not in photo.jpeg
        assert trace not in photo.thumbnail


def test_a_file_that_becomes_an_image_only_later_is_refused() -> None:
    for head in (b"PK\x03\x04", b"<html>", b"\x00", b"\n"):
        assert refused(head + make_photo_bytes()).code == "unsupported_type"


@pytest.mark.parametrize("kind", KINDS)
def test_no_metadata_survive(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET
    exif.get_ifd(0x8825)[1] = SECRET  # the place
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if kind != "PNG":
        options["xmp"] = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>".encode()
    if kind == "JPEG":
        options["comment"] = SECRET
    sent = make_photo_bytes(kind=kind, **options)
    assert SECRET.encode() in sent
    photo = read(sent)
    assert_clean(photo)
    assert SECRET.encode() not in photo.jpeg + photo.thumbnail


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.new("RGBA", (20, 20), (255, 0, 0, 0)), {}),
        (Image.new("LA", (20, 20), (0, 0)), {}),
        (Image.new("P", (20, 20), 0), {"transparency": 0}),
        (Image.new("L", (20, 20), 9), {"transparency": 9}),
        (Image.new("RGB", (20, 20), (1, 2, 3)), {"transparency": (1, 2, 3)}),
    ],
)
def test_what_is_transparent_becomes_white(image: Image.Image, options: dict[str, Any]) -> None:
    assert opened(read(encoded(image, "PNG", **options)).jpeg).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    red, green, blue = np.asarray(opened(read(moving).jpeg)).mean(axis=(0, 1))
    assert red > 240
    assert max(green, blue) < 15


def test_a_colour_profile_is_converted_to_srgb() -> None:
    image = Image.new("RGB", (20, 20), (255, 0, 0))
    seen = np.asarray(opened(read(encoded(image, "JPEG", icc_profile=swapped_profile())).jpeg))
    red, _, blue = seen.mean(axis=(0, 1))
    assert blue > 200 > 100 > red


@pytest.mark.parametrize("profile", [b"no profile", bytes(200)])
def test_a_broken_colour_profile_does_not_spoil_the_photo(profile: bytes) -> None:
    assert_clean(read(make_photo_bytes(icc_profile=profile)))


def test_a_profile_of_another_colour_space_does_not_spoil_the_photo() -> None:
    assert_clean(read(make_photo_bytes(mode="CMYK", icc_profile=swapped_profile())))


def test_large_photos_are_shrunk_with_their_proportions() -> None:
    photo = read(encoded(Image.new("RGB", (6000, 3000), "teal"), "JPEG"))
    assert (photo.width, photo.height) == (2048, 1024)
    assert opened(photo.thumbnail).size == (480, 240)


def test_a_line_of_pixels_keeps_its_one_pixel() -> None:
    photo = read(encoded(Image.new("RGB", (9000, 1), "teal"), "PNG"))
    assert (photo.width, photo.height) == (8192, 1)


def swapped_profile() -> bytes:
    """A small ICC profile of sRGB's primaries in which red and blue have changed places."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    red, green, blue = (
        xyz(0.4360, 0.2225, 0.0139),
        xyz(0.3851, 0.7169, 0.0971),
        xyz(0.1431, 0.0606, 0.7141),
    )
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = {b"rXYZ": blue, b"gXYZ": green, b"bXYZ": red, b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    size = start + len(body)
    head = struct.pack(">I4xI", size, 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + xyz(0.9642, 1.0, 0.8249)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
