"""What somebody hides in a video, or a camera writes into it, is not in what is kept."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from stories.uploads.videos import kind_of, read_video
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


def rewritten(
    codec: str, packet: Change = bytes, extradata: Change = bytes, form: str = "", **options: str
) -> bytes:
    """The video of a codec with its packets and its decoder's configuration changed."""
    file, form = io.BytesIO(), form or ("webm" if codec in {"vp8", "vp9"} else "mp4")
    with (
        av.open(io.BytesIO(MADE[codec]), "r") as source,
        av.open(file, "w", format=form, options=options) as target,
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


def kept(codec: str, data: bytes) -> bytes:
    """What is stored of a changed video, which shows what it showed before."""
    upload = io.BytesIO(data)
    kind = kind_of(upload)
    assert kind
    with tempfile.TemporaryDirectory() as folder:
        video = read_video(upload, kind, Path(folder))
    bare = video.file.read()
    before, after = pictures(MADE[codec]), pictures(bare)
    assert len(before) == 5
    assert all(picture in after for picture in before)
    return bare


def pictures(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


def assert_gone(codec: str, data: bytes) -> None:
    assert MARKER in data
    assert MARKER not in kept(codec, data)


def unit(head: bytes) -> bytes:
    """A length-prefixed unit of H.264 or HEVC with the marker in it."""
    body = head + MARKER + b"\x80"
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("kind", sorted({*range(32)} - {1, 5, 7, 8}))
def test_h264_keeps_slices_and_parameter_sets_only(kind: int, place: str) -> None:
    extra = unit(bytes([0x60 | kind]))
    assert_gone("h264", rewritten("h264", lambda p: extra + p if place == "before" else p + extra))


HEVC_KEPT = {*range(10), *range(16, 22), 32, 33, 34}


@pytest.mark.parametrize("kind", sorted({*range(64)} - HEVC_KEPT))
def test_hevc_keeps_slices_and_parameter_sets_only(kind: int) -> None:
    extra = unit(bytes([kind << 1, 1]))
    assert_gone("hevc", rewritten("hevc", lambda packet: packet + extra))


@pytest.mark.parametrize("kind", [1, 19, 39, 63])
def test_hevc_keeps_the_first_layer_only(kind: int) -> None:
    extra = unit(bytes([kind << 1, 1 << 3 | 1]))
    assert_gone("hevc", rewritten("hevc", lambda packet: packet + extra))


def test_parameter_sets_are_written_anew() -> None:
    def longer(avcc: bytes) -> bytes:
        size = struct.unpack(">H", avcc[6:8])[0]
        sps = avcc[8 : 8 + size] + MARKER
        return avcc[:6] + struct.pack(">H", len(sps)) + sps + avcc[8 + size :]

    assert_gone("h264", rewritten("h264", extradata=longer))


@pytest.mark.parametrize("kind", [32, 33, 34])
def test_parameter_sets_of_hevc_are_written_anew(kind: int) -> None:
    def longer(hvcc: bytes) -> bytes:
        start = hvcc.index(bytes([kind << 1, 1]), 23)
        size = int.from_bytes(hvcc[start - 2 : start], "big")
        head = hvcc[: start - 2] + struct.pack(">H", size + len(MARKER))
        return head + hvcc[start : start + size] + MARKER + hvcc[start + size :]

    assert_gone("hevc", rewritten("hevc", extradata=longer))


@pytest.mark.parametrize("codec", ["h264"])
def test_what_stands_behind_a_configuration_is_dropped(codec: str) -> None:
    assert_gone(codec, rewritten(codec, extradata=lambda old: old + MARKER))


@pytest.mark.parametrize("kind", [5, 8, 9, 14, 15])
def test_av1_keeps_sequence_headers_and_frames_only(kind: int) -> None:
    body = b"\x04" + MARKER + b"\x80"
    data = rewritten("av1", lambda packet: packet + b"\x2a" + bytes([len(body)]) + body)
    before = b"\x2a" + bytes([len(body)]) + body
    assert before in data
    assert_gone("av1", data.replace(before, bytes([kind << 3 | 2]) + before[1:]))


def test_mpeg4_loses_its_user_data() -> None:
    user_data = b"\0\0\1\xb2" + MARKER
    assert_gone(
        "mpeg4", rewritten("mpeg4", lambda packet: user_data + packet, lambda old: old + user_data)
    )


def superframe(*frames: bytes) -> bytes:
    """VP9's packet of several frames with the index of their sizes at its end."""
    mark = bytes([0b110_11_000 | len(frames) - 1])
    return b"".join(frames) + mark + b"".join(struct.pack("<I", len(f)) for f in frames) + mark


@pytest.mark.parametrize(
    "hide",
    [
        lambda packet: superframe(packet, b"\x88" + MARKER),  # shows a frame again, and says more
        lambda packet: (
            superframe(packet)[: len(packet)] + MARKER + superframe(packet)[len(packet) :]
        ),
        lambda packet: superframe(packet, b"\x00" + MARKER),  # no frame at all
    ],
)
def test_vp9_frames_say_no_more_than_they_show(hide: Change) -> None:
    assert_gone("vp9", rewritten("vp9", hide))


@pytest.mark.parametrize("codec", ["vp8", "vp9"])
def test_what_a_webm_keeps_for_its_decoder_is_dropped(codec: str) -> None:
    assert_gone(codec, rewritten(codec, extradata=lambda old: old + MARKER))


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


@pytest.mark.parametrize(
    "path",
    [
        [],
        [b"moov"],
        [b"moov", b"trak"],
        [b"moov", b"trak", b"mdia"],
        [b"moov", b"trak", b"mdia", b"minf", b"stbl"],
    ],
)
@pytest.mark.parametrize(
    "kind", [b"udta", b"meta", b"free", b"skip", b"uuid", b"wide", b"XMP_", b"mdat", b"\xa9xyz"]
)
def test_of_an_mp4_no_box_is_kept(kind: bytes, path: list[bytes]) -> None:
    assert_gone("h264", inside(path, box(kind, bytes(4) + MARKER), MADE["h264"]))


def element(identity: str, body: bytes) -> bytes:
    """A Matroska element."""
    return bytes.fromhex(identity) + (1 << 56 | len(body)).to_bytes(8, "big") + body


@pytest.mark.parametrize(
    "extra",
    [
        element("EC", MARKER),  # Void
        element("BF", MARKER),  # a checksum
        element(
            "1254C367",
            element("7373", element("67C8", element("45A3", b"TITLE") + element("4487", MARKER))),
        ),
        element(
            "1941A469",
            element(
                "61A7",
                element("466E", b"a.txt")
                + element("4660", b"text/plain")
                + element("465C", MARKER)
                + element("46AE", b"\1"),
            ),
        ),
        element(
            "1043A770",
            element(
                "45B9",
                element(
                    "B6",
                    element("73C4", b"\1")
                    + element("91", b"\0")
                    + element("80", element("85", MARKER)),
                ),
            ),
        ),
        element("4DBB", MARKER),
    ],
    ids=["void", "checksum", "tags", "attachment", "chapters", "unknown"],
)
def test_of_a_webm_no_other_element_is_kept(extra: bytes) -> None:
    data = MADE["vp8"]
    tracks = data.index(bytes.fromhex("1654AE6B"))
    # A Segment of unknown size takes whatever comes; what pointed further down is passed over.
    segment = data.index(bytes.fromhex("18538067")) + 4
    seek_head = data.index(bytes.fromhex("114D9B74"))
    live = data[:segment] + b"\x01" + b"\xff" * 7 + data[segment + 8 : seek_head]
    assert_gone("vp8", live + extra + data[tracks:])


def test_block_additions_are_dropped() -> None:
    group = element(
        "A0",
        element("A1", b"\x81\0\0\0" + first_vp8())
        + element("75A1", element("A6", element("EE", b"\1") + element("A5", MARKER))),
    )
    data = MADE["vp8"]
    assert_gone("vp8", data + element("1F43B675", element("E7", b"\x09\xc4") + group))


def first_vp8() -> bytes:
    with av.open(io.BytesIO(MADE["vp8"]), "r") as container:
        return bytes(next(container.demux(video=0)))
