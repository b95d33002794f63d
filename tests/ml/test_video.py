"""Video frames: which are sampled, their orientation, and damaged files."""

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from ml import video
from ml.video import FRAMES, VideoUnreadable, sample
from tests.factories import make_sound_bytes, make_video_bytes


def kind_of(form: str) -> str:
    return "webm" if form == "webm" else "mp4"


def brightness(picture: Image.Image) -> float:
    return float(np.asarray(picture.convert("L"))[: picture.height // 2].mean())


@pytest.mark.parametrize("form", ["mp4", "mov", "webm"])
@pytest.mark.parametrize("keys_apart", [1, 5, 1000])
def test_frames_are_spread_over_the_whole_video_in_its_order(form: str, keys_apart: int) -> None:
    data = make_video_bytes(form, seconds=6, keys_apart=keys_apart)
    frames = sample(io.BytesIO(data), kind_of(form))
    times = np.array([frame.at for frame in frames])
    assert len(frames) == FRAMES
    assert (np.diff(times) > 0).all()
    assert (np.abs(times - (np.arange(FRAMES) + 0.5) * 6 / FRAMES) <= 6 / FRAMES).all()
    shown = [brightness(frame.picture) for frame in frames]
    assert np.allclose(shown, times * 255 / 5.9, atol=12)


def test_video_of_one_frame_gives_that_frame() -> None:
    (frame,) = sample(io.BytesIO(make_video_bytes(seconds=0.1)), "mp4")
    assert (frame.at, frame.picture.size) == (0.0, (64, 48))


def test_frame_is_no_larger_than_asked_for_and_keeps_its_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(video, "SIDE", 80)
    data = make_video_bytes(size=(320, 160), seconds=0.5)
    assert sample(io.BytesIO(data), "mp4", 1)[0].picture.size == (80, 40)


def test_short_video_has_a_frame_every_half_second() -> None:
    times = [frame.at for frame in sample(io.BytesIO(make_video_bytes(seconds=2)), "mp4")]
    assert len(times) == 4
    assert (np.abs(np.array(times) - (0.25, 0.75, 1.25, 1.75)) <= 0.3).all()


def turned(data: bytes) -> bytes:
    """The video as a phone held upright writes it: to be rotated by 90° clockwise."""
    changed, box = bytearray(data), data.find(b"tkhd")
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    changed[box + 44 : box + 80] = matrix
    return bytes(changed)


def test_frame_of_a_turned_video_is_upright() -> None:
    data = turned(make_video_bytes(seconds=0.5, keys_apart=1))
    last = sample(io.BytesIO(data), "mp4", 5)[-1].picture
    assert last.size == (48, 64)
    red, _, blue = np.asarray(last, dtype=float)[32, [12, 36]].transpose()
    assert red[0] < 60 < 200 < red[1]  # the upper half, white by now, lies on the right
    assert blue[0] < 60


def test_damaged_frames_are_passed_over() -> None:
    data = bytearray(make_video_bytes(seconds=6, keys_apart=15))
    start, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    third = (end - start) // 3
    data[start + third : end - third] = bytes(end - start - 2 * third)
    frames = sample(io.BytesIO(bytes(data)), "mp4")
    assert 3 <= len(frames) < FRAMES
    assert frames[0].at < 2 < 4 < frames[-1].at


@pytest.mark.parametrize("kind", ["mp4", "webm"])
@pytest.mark.parametrize("data", [b"", b"\x00" * 500, make_sound_bytes()])
def test_file_without_a_picture_is_an_error(kind: str, data: bytes) -> None:
    with pytest.raises(VideoUnreadable):
        sample(io.BytesIO(data), kind)


def test_video_whose_frames_are_all_damaged_is_an_error() -> None:
    data = bytearray(make_video_bytes())
    start = data.find(b"mdat") + 4
    end = data.find(b"moov") - 4
    data[start:end] = bytes(end - start)
    with pytest.raises(VideoUnreadable):
        sample(io.BytesIO(bytes(data)), "mp4")


def test_decoding_ends_at_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    data = make_video_bytes(seconds=4, keys_apart=1000)
    assert 1 <= len(sample(io.BytesIO(data), "mp4", timeout=25)) < FRAMES


def test_every_decoded_packet_is_a_sign_of_life() -> None:
    seen: list[int] = []
    frames = sample(io.BytesIO(make_video_bytes()), "mp4", on_progress=lambda: seen.append(1))
    assert len(seen) >= len(frames) > 1
