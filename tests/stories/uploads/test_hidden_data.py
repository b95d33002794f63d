"""What somebody hides in a video, or a camera writes into it, is not in what is kept."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stories.uploads.transcoding import transcode
from stories.uploads.videos import kind_of
from tests.factories import make_video_bytes

MARKER = b"Hidden-Place-48.1370-011.5750"
MADE = {
    codec: make_video_bytes(form, codec=encoder, seconds=0.5)
    for codec, form, encoder in (
        ("h264", "mp4", "libx264"),
        ("hevc", "mp4", "libx265"),
        ("av1", "mp4", "libsvtav1"),
        ("vp9", "webm", "libvpx-vp9"),
        ("vp8", "webm", "libvpx"),
        ("mpeg4", "mp4", "mpeg4"),
    )
}
Change = Callable[[bytes], bytes]


def rewritten(codec: str, packet: Change = bytes, extradata: Change = bytes) -> bytes:
    """The video of a codec with its packets and its decoder's configuration changed."""
    file, form = io.BytesIO(), "webm" if codec in {"vp8", "vp9"} else "mp4"
    with (
        av.open(io.BytesIO(MADE[codec]), "r") as source,
        av.open(file, "w", format=form) as target,
    ):
        stream: Any = source.streams.video[0]
        copied: Any = target.add_stream_from_template(stream, opaque=True)
        copied.codec_context.extradata = extradata(stream.codec_context.extradata or b"") or None
        for old in source.demux(stream):
            if old.size:
                new: Any = av.Packet(packet(bytes(old)))
                new.pts, new.dts, new.time_base = old.pts, old.dts, old.time_base
                new.duration, new.is_keyframe, new.stream = old.duration, old.is_keyframe, copied
                target.mux(new)
    return file.getvalue()


def pictures(data: bytes) -> list[Any]:
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def assert_gone(codec: str, data: bytes, folder: Path) -> None:
    """The marker is lost, and the pictures are what they were before anything was hidden."""
    assert MARKER in data
    upload, target = io.BytesIO(data), folder / "video.mp4"
    transcode(upload, kind_of(upload) or "", target)
    kept = target.read_bytes()
    assert MARKER not in kept
    before, after = pictures(MADE[codec]), pictures(kept)
    assert len(before) == len(after) == 5
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.astype(float) - other).mean() < 8


def unit(head: bytes) -> bytes:
    """A length-prefixed unit of H.264 or HEVC with the marker in it."""
    body = head + MARKER + b"\x80"
    return struct.pack(">I", len(body)) + body


def longer_slice(packet: bytes) -> bytes:
    """The last unit of an H.264 packet with the marker behind its coded picture."""
    start = 0
    while (after := start + 4 + int.from_bytes(packet[start : start + 4], "big")) < len(packet):
        start = after
    body = packet[start + 4 :] + MARKER
    return packet[:start] + struct.pack(">I", len(body)) + body


def superframe(*frames: bytes) -> bytes:
    """VP9's packet of several frames with the index of their sizes at its end."""
    mark = bytes([0b110_11_000 | len(frames) - 1])
    return b"".join(frames) + mark + b"".join(struct.pack("<I", len(f)) for f in frames) + mark


def longer_parameters(avcc: bytes) -> bytes:
    size = struct.unpack(">H", avcc[6:8])[0]
    sps = avcc[8 : 8 + size] + MARKER
    return avcc[:6] + struct.pack(">H", len(sps)) + sps + avcc[8 + size :]


OBU = b"\x2a" + bytes([len(MARKER) + 2]) + b"\x04" + MARKER + b"\x80"
USER_DATA = b"\0\0\1\xb2" + MARKER
SEI = b"\x06\x05" + bytes([16 + len(MARKER)]) + bytes(16)
CARRIERS: list[tuple[str, str, Change]] = [
    ("h264", "user data", lambda p: unit(SEI) + p),
    *(("h264", f"unit of type {n}", lambda p, n=n: unit(bytes([0x60 | n])) + p) for n in (0, 12)),
    *(("h264", f"unit of type {n}", lambda p, n=n: p + unit(bytes([0x60 | n]))) for n in (24, 31)),
    ("h264", "behind a slice", longer_slice),
    *(("hevc", f"unit of type {n}", lambda p, n=n: p + unit(bytes([n << 1, 1]))) for n in (39, 48)),
    ("hevc", "another layer", lambda p: p + unit(bytes([1 << 1, 1 << 3 | 1]))),
    ("hevc", "behind a slice", longer_slice),
    ("av1", "metadata", lambda p: p + OBU),
    ("vp9", "behind a frame", lambda p: p + MARKER),
    ("vp9", "a frame shown again", lambda p: superframe(p, b"\x88" + MARKER)),
    ("vp8", "behind a frame", lambda p: p + MARKER),
    ("mpeg4", "user data", lambda p: USER_DATA + p),
]


@pytest.mark.parametrize(
    ("codec", "hide"),
    [pytest.param(codec, hide, id=f"{codec} {place}") for codec, place, hide in CARRIERS],
)
def test_what_is_hidden_in_packets_is_gone(codec: str, hide: Change, tmp_path: Path) -> None:
    assert_gone(codec, rewritten(codec, hide), tmp_path)


@pytest.mark.parametrize(
    ("codec", "hide"),
    [
        ("h264", longer_parameters),
        ("h264", lambda old: old + MARKER),
        ("vp8", lambda old: old + MARKER),
        ("mpeg4", lambda old: old + USER_DATA),
    ],
)
def test_what_is_hidden_in_a_configuration_is_gone(
    codec: str, hide: Change, tmp_path: Path
) -> None:
    assert_gone(codec, rewritten(codec, extradata=hide), tmp_path)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def inside(path: list[bytes], extra: bytes, data: bytes) -> bytes:
    """An MP4 with `extra` at the end of the box at this path, all sizes mended."""
    start, end = 0, len(data)
    for name in path:
        found = data.index(name, start, end) - 4
        size = int.from_bytes(data[found : found + 4], "big")
        data = data[:found] + struct.pack(">I", size + len(extra)) + data[found + 4 :]
        start, end = found + 8, found + size
    return data[:end] + extra + data[end:]


@pytest.mark.parametrize("path", [[], [b"moov"], [b"moov", b"trak", b"mdia", b"minf", b"stbl"]])
@pytest.mark.parametrize("kind", [b"udta", b"free", b"uuid", b"\xa9xyz"])
def test_of_an_mp4_no_box_is_kept(kind: bytes, path: list[bytes], tmp_path: Path) -> None:
    assert_gone("h264", inside(path, box(kind, bytes(4) + MARKER), MADE["h264"]), tmp_path)


def test_nothing_is_written_into_a_video_but_its_pictures(tmp_path: Path) -> None:
    said = {"comment": MARKER.decode(), "location": "+48.1370+011.5750/"}
    data, target = make_video_bytes("mov", sound=True, metadata=said), tmp_path / "video.mp4"
    assert MARKER in data
    transcode(io.BytesIO(data), "mp4", target)
    with av.open(target) as kept:
        assert [stream.type for stream in kept.streams] == ["video"]
        assert not {"comment", "location", "creation_time", "encoder"} & set(kept.metadata)
    assert MARKER not in target.read_bytes()
    assert b"48.137" not in target.read_bytes()
