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

from ml.video import DEMUXERS, sample
from stories.videos import kind_of, read_video
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
        av.open(io.BytesIO(MADE[codec])) as source,
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


def kept(data: bytes) -> bytes:
    """What is stored of a video, which shows what it showed before."""
    upload = io.BytesIO(data)
    kind = kind_of(upload)
    assert kind
    with tempfile.TemporaryDirectory() as folder:
        video = read_video(upload, kind, Path(folder))
    bare = video.file.read()
    before, after = (sample(io.BytesIO(one), kind, 3) for one in (data, bare))
    assert [f.picture.tobytes() for f in before] == [f.picture.tobytes() for f in after]
    with av.open(io.BytesIO(bare), format=DEMUXERS[kind]) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    return bare


def assert_gone(data: bytes) -> None:
    assert MARKER in data
    assert MARKER not in kept(data)


def unit(head: bytes) -> bytes:
    """A length-prefixed unit of H.264 or HEVC with the marker in it."""
    body = head + MARKER + b"\x80"
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("kind", sorted({*range(32)} - {1, 5, 7, 8}))
def test_h264_keeps_slices_and_parameter_sets_only(kind: int, place: str) -> None:
    extra = unit(bytes([0x60 | kind]))
    assert_gone(rewritten("h264", lambda p: extra + p if place == "before" else p + extra))


HEVC_KEPT = {*range(10), *range(16, 22), 32, 33, 34}


@pytest.mark.parametrize("kind", sorted({*range(64)} - HEVC_KEPT))
def test_hevc_keeps_slices_and_parameter_sets_only(kind: int) -> None:
    extra = unit(bytes([kind << 1, 1]))
    assert_gone(rewritten("hevc", lambda packet: packet + extra))


@pytest.mark.parametrize("kind", [1, 19, 39, 63])
def test_hevc_keeps_the_first_layer_only(kind: int) -> None:
    extra = unit(bytes([kind << 1, 1 << 3 | 1]))
    assert_gone(rewritten("hevc", lambda packet: packet + extra))


def test_parameter_sets_are_written_anew() -> None:
    def longer(avcc: bytes) -> bytes:
        size = struct.unpack(">H", avcc[6:8])[0]
        sps = avcc[8 : 8 + size] + MARKER
        return avcc[:6] + struct.pack(">H", len(sps)) + sps + avcc[8 + size :]

    assert_gone(rewritten("h264", extradata=longer))


@pytest.mark.parametrize("codec", ["h264"])
def test_what_stands_behind_a_configuration_is_dropped(codec: str) -> None:
    assert_gone(rewritten(codec, extradata=lambda old: old + MARKER))


@pytest.mark.parametrize("kind", [5, 8, 9, 14, 15])
def test_av1_keeps_sequence_headers_and_frames_only(kind: int) -> None:
    body = b"\x04" + MARKER + b"\x80"
    data = rewritten("av1", lambda packet: packet + b"\x2a" + bytes([len(body)]) + body)
    before = b"\x2a" + bytes([len(body)]) + body
    assert before in data
    assert_gone(data.replace(before, bytes([kind << 3 | 2]) + before[1:]))


def test_mpeg4_loses_its_user_data() -> None:
    user_data = b"\0\0\1\xb2" + MARKER
    assert_gone(rewritten("mpeg4", lambda packet: user_data + packet, lambda old: old + user_data))
