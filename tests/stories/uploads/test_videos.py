"""What strangers send as videos, and what is said of it."""

from __future__ import annotations

import io
import os
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stories.uploads import videos
from stories.uploads.photos import UploadError
from stories.uploads.videos import CheckedVideo, kind_of, read_video
from tests.factories import make_photo_bytes, make_sound_bytes, make_video_bytes

MADE = {form: make_video_bytes(form, seconds=1) for form in ("mp4", "mov", "webm")}
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(data: bytes) -> CheckedVideo:
    upload = io.BytesIO(data)
    kind = kind_of(upload)
    assert kind is not None
    return read_video(upload, kind)


def refused(data: bytes) -> UploadError:
    with pytest.raises(UploadError) as refusal:
        read(data)
    return refusal.value


def assert_has_poster(video: CheckedVideo) -> None:
    with Image.open(io.BytesIO(video.poster.jpeg)) as poster:
        assert poster.size == (video.poster.width, video.poster.height)


@pytest.mark.parametrize(("form", "kind"), [("mp4", "mp4"), ("mov", "mp4"), ("webm", "webm")])
def test_a_video_is_measured_and_gets_a_poster(form: str, kind: str) -> None:
    video = read(make_video_bytes(form, seconds=3, size=(160, 120)))
    assert video.kind == kind
    assert video.seconds == pytest.approx(3, abs=0.11)
    assert (video.poster.width, video.poster.height) == (160, 120)
    assert_has_poster(video)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        *((data, "webm" if form == "webm" else "mp4") for form, data in MADE.items()),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mp4"),
        (make_photo_bytes(), None),
        (make_photo_bytes(kind="HEIF"), None),
        (make_photo_bytes(kind="AVIF"), None),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "webm"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(data: bytes, kind: str | None) -> None:
    assert kind_of(io.BytesIO(data)) == kind


def test_a_video_longer_than_a_minute_is_refused_and_one_of_a_minute_is_not() -> None:
    long = make_video_bytes(seconds=63, rate=2)
    assert refused(long).code == "too_long"
    assert "60 seconds" in str(refused(long))
    assert read(make_video_bytes(seconds=60, rate=2)).seconds == pytest.approx(60)


def test_more_frames_than_a_minute_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "MAX_PACKETS", 5)
    assert refused(MADE["mp4"]).code == "too_long"


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "MAX_VIDEO_BYTES", len(MADE["mp4"]) - 1)
    assert refused(MADE["mp4"]).code == "too_large"
    monkeypatch.setattr(videos, "MAX_VIDEO_BYTES", len(MADE["mp4"]))
    assert_has_poster(read(MADE["mp4"]))


def test_a_picture_larger_than_4k_is_refused() -> None:
    error = refused(make_video_bytes(size=(4112, 2320), seconds=0.1))
    assert error.code == "too_many_pixels"
    assert "larger than 4K" in str(error)


def test_sound_alone_is_refused_as_such() -> None:
    error = refused(make_sound_bytes())
    assert error.code == "no_picture"
    assert "only sound" in str(error)


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        ("mp4", "libsvtav1"),
        ("webm", "libsvtav1"),
        ("mp4", "libvpx-vp9"),
        ("webm", "libvpx-vp9"),
        ("mov", "libx265"),
        ("mp4", "mpeg4"),
    ],
)
def test_every_codec_that_is_listed_is_accepted(form: str, codec: str) -> None:
    video = make_video_bytes(form, codec=codec, seconds=1)
    assert read(video).seconds == pytest.approx(1, abs=0.11)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_codec_that_is_not_listed_is_refused() -> None:
    error = refused(make_video_bytes("matroska", codec="ffv1"))
    assert error.code == "unsupported_type"
    assert str(error).endswith("or a video (MP4, MOV, WebM or MKV).")


def test_sound_with_a_cover_is_refused_as_sound() -> None:
    error = refused(sound_with_cover())
    assert error.code == "no_picture"
    assert "only sound" in str(error)


def sound_with_cover() -> bytes:
    """An M4A with a picture of the album."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        heard: Any = target.add_stream("aac", rate=48_000)
        cover: Any = target.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        frame: Any = av.VideoFrame.from_image(Image.new("RGB", (64, 48)))  # type: ignore[no-untyped-call]
        frame.pts = 0
        target.mux([*cover.encode(frame), *cover.encode(None)])
        silence: Any = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        silence.sample_rate, silence.pts = 48_000, 0
        target.mux([*heard.encode(silence), *heard.encode(None)])
    return out.getvalue()


@pytest.mark.parametrize("form", MADE)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.95])
def test_a_truncated_video_is_refused_or_read_as_far_as_it_goes(form: str, share: float) -> None:
    data = MADE[form]
    try:
        video = read(data[: int(len(data) * share)])
    except UploadError as error:
        assert error.code == "unreadable"  # noqa: PT017
        assert "damaged or incomplete" in str(error)  # noqa: PT017
    else:
        assert_has_poster(video)


@relaxed
@given(data=st.data(), form=st.sampled_from([*MADE]))
def test_mutated_files_are_refused_or_read(data: st.DataObject, form: str) -> None:
    whole = bytearray(MADE[form])
    for _ in range(data.draw(st.integers(1, 12))):
        whole[data.draw(st.integers(12, len(whole) - 1))] = data.draw(st.integers(0, 255))
    form = "webm" if form == "webm" else "mp4"
    try:
        video = read_video(io.BytesIO(bytes(whole)), form)
    except UploadError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert_has_poster(video)


@relaxed
@given(tail=st.binary(max_size=400), form=st.sampled_from([*MADE]))
def test_random_bytes_behind_a_true_beginning_never_crash(tail: bytes, form: str) -> None:
    error: Any = refused(MADE[form][:48] + tail)
    assert error.code in {"unreadable", "no_picture", "unsupported_type"}
