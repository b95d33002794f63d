"""Hostile uploads: mutated files, bombs, polyglots and files that name others.

Drawn by number, so that a finding can be made again from the seed alone.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from storify_site.bench.reliability.seeds import MARKER, jpeg_segment

Files = Mapping[str, bytes]


def upload(number: int, seed: int, files: Files) -> tuple[str, bytes]:
    """The name and content of one upload; every eighth is made by hand, the rest is mutated."""
    draw = random.Random(f"{seed} {number}")
    if number % 8 == 0:
        name = draw.choice([*MADE])
        return name, MADE[name](draw, files)
    name = draw.choice([*files])
    data = files[name]
    for _ in range(draw.choice((1, 1, 2, 4))):
        how = draw.choice([*MUTATIONS])
        data, name = MUTATIONS[how](draw, data, files), f"{name}, {how}"
    return name, data


def _place(draw: random.Random, data: bytes) -> int:
    """Anywhere, but half of the time in the head, where the structure is."""
    return draw.randrange(max(1, min(len(data), 256) if draw.random() < 0.5 else len(data)))


def _flipped(draw: random.Random, data: bytes, _: Files) -> bytes:
    changed = bytearray(data)
    for _number in range(draw.choice((1, 4, 32))):
        if changed:
            changed[_place(draw, data)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwritten(draw: random.Random, data: bytes, _: Files) -> bytes:
    at, edges = _place(draw, data), (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0")
    new = draw.choice((*edges, draw.randbytes(8)))
    return data[:at] + new + data[at + len(new) :]


def _cut(draw: random.Random, data: bytes, _: Files) -> bytes:
    return data[: _place(draw, data)]


def _inserted(draw: random.Random, data: bytes, _: Files) -> bytes:
    at = _place(draw, data)
    return data[:at] + draw.choice((draw.randbytes(32), MARKER * 4, b"\0" * 4096)) + data[at:]


def _removed(draw: random.Random, data: bytes, _: Files) -> bytes:
    at = _place(draw, data)
    return data[:at] + data[at + draw.choice((1, 4, 64)) :]


def _repeated(draw: random.Random, data: bytes, _: Files) -> bytes:
    at = _place(draw, data)
    part = data[at : at + draw.choice((8, 64, 1024))]
    return data[:at] + part * draw.choice((2, 50)) + data[at:]


def _spliced(draw: random.Random, data: bytes, files: Files) -> bytes:
    other = draw.choice([*files.values()])
    return data[: _place(draw, data)] + other[_place(draw, other) :]


def _followed(draw: random.Random, data: bytes, files: Files) -> bytes:
    return data + draw.choice((MARKER * 100, *files.values()))


MUTATIONS: dict[str, Callable[[random.Random, bytes, Files], bytes]] = {
    "bits flipped": _flipped,
    "overwritten": _overwritten,
    "cut": _cut,
    "inserted": _inserted,
    "removed": _removed,
    "repeated": _repeated,
    "spliced": _spliced,
    "followed": _followed,
}


# --- made by hand ---------------------------------------------------------------------------------


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        # With a fixed date, so that the bytes are the same again.
        archive.writestr(zipfile.ZipInfo("evil.html"), MARKER * 50 + b"<script>alert(1)</script>")
    return out.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + _chunk(b"IEND", b"")


def _png_bomb(draw: random.Random, _: Files) -> bytes:
    side = draw.choice((7900, 20_000, 60_000, 2**31 - 1))
    packed = zlib.compress(bytes(draw.choice((1, 64, 256)) << 20), 9)
    return _png(side, side, _chunk(b"IDAT", packed))


def _text_bomb(draw: random.Random, files: Files) -> bytes:
    packed = zlib.compress(bytes(draw.choice((64, 256)) << 20), 9)
    name = draw.choice((b"zTXt", b"iCCP"))
    return files["png"][:33] + _chunk(name, b"a\0\0" + packed) + files["png"][33:]


def _zip_in_jpeg(draw: random.Random, files: Files) -> bytes:
    jpeg, archive = files["jpeg"], _zip()
    inside = jpeg[:2] + jpeg_segment(0xE1, archive) + jpeg[2:]
    return draw.choice((jpeg + archive, inside, jpeg[:2] + jpeg_segment(0xFE, archive) + jpeg[2:]))


def _page_in_picture(draw: random.Random, files: Files) -> bytes:
    page = b"<html><script>fetch('//evil.test')</script>" + MARKER
    data = files[draw.choice(("jpeg", "gif", "png"))]
    return draw.choice((data + page, page + data, b"%PDF-1.4\n" + data, b"GIF89a/*" + page))


def _many_scans(draw: random.Random, files: Files) -> bytes:
    jpeg = files["jpeg progressive"]
    at = jpeg.rfind(b"\xff\xda")
    return jpeg[:at] + jpeg[at:-2] * draw.choice((50, 2000)) + b"\xff\xd9"


def _many_segments(draw: random.Random, files: Files) -> bytes:
    jpeg, count = files["jpeg"], draw.choice((1000, 60_000))
    return jpeg[:2] + jpeg_segment(0xE1, MARKER) * count + jpeg[2:]


def _large_frame(draw: random.Random, files: Files) -> bytes:
    """A picture whose header claims far more than it holds."""
    data, at = bytearray(files["jpeg"]), files["jpeg"].find(b"\xff\xc0")
    claimed = draw.choice(((65_535, 65_535), (8000, 8000), (1, 65_535)))
    data[at + 5 : at + 9] = struct.pack(">HH", *claimed)
    return bytes(data)


def _large_gif(draw: random.Random, files: Files) -> bytes:
    data = bytearray(files["gif moving"])
    data[6:10] = struct.pack("<HH", *draw.choice(((65_535, 65_535), (9000, 7000))))
    return bytes(data)


def _names_another(draw: random.Random, files: Files) -> bytes:
    """Playlists, scripts and boxes that ask a reader for other files."""
    url = draw.choice((b"file:///etc/passwd", b"http://127.0.0.1:9/x", b"concat:/etc/passwd"))
    box = struct.pack(">I", 28 + len(url)) + b"dref" + struct.pack(">II", 0, 1)
    box += struct.pack(">I", 12 + len(url)) + b"url \0\0\0\0" + url
    mp4 = files["mp4 libx264"]
    at = mp4.find(b"dref") - 4
    return draw.choice(
        (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + url + b"\n#EXT-X-ENDLIST\n",
            b"ffconcat version 1.0\nfile " + url + b"\n",
            b'<svg xmlns="http://www.w3.org/2000/svg"><image href="' + url + b'"/></svg>',
            mp4[:at] + box + mp4[at + 28 :],
            mp4[:32] + b"#EXTM3U\n" + url + mp4[32:],
        )
    )


def _boxes(draw: random.Random, files: Files) -> bytes:
    mp4 = files["mp4 libx264"]
    nested = b""
    for _number in range(draw.choice((50, 5000))):
        nested = struct.pack(">I", 8 + len(nested)) + b"moov" + nested
    return draw.choice((mp4[:32] + nested, mp4 + b"\0\0\0\x08free" * 200_000, nested))


def _claimed_samples(draw: random.Random, files: Files) -> bytes:
    data = bytearray(files["mp4 libx264"])
    at = data.find(draw.choice((b"stsz", b"stts", b"stco", b"ctts", b"stsc"))) + 8
    data[at : at + 8] = struct.pack(">II", draw.choice((0, 1)), draw.choice((2**24, 2**32 - 1)))
    return bytes(data)


def _odd(draw: random.Random, _: Files) -> bytes:
    noise = draw.randbytes(1 << 16)
    return draw.choice((b"", b"\xff\xd8\xff", noise, bytes(1 << 20), _zip(), b"\x1aE\xdf\xa3"))


MADE: dict[str, Callable[[random.Random, Files], bytes]] = {
    "a PNG that unpacks to much": _png_bomb,
    "text that unpacks to much": _text_bomb,
    "an archive in a picture": _zip_in_jpeg,
    "a page in a picture": _page_in_picture,
    "a picture of many scans": _many_scans,
    "a picture of many segments": _many_segments,
    "a header that claims much": _large_frame,
    "a GIF that claims much": _large_gif,
    "a file that names others": _names_another,
    "boxes in boxes": _boxes,
    "a video that claims many samples": _claimed_samples,
    "odd bytes": _odd,
}
