"""What strangers send as videos, and what is kept of it."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ml.video import DEMUXERS
from stories.uploads import videos
from stories.uploads.photos import UploadError
from stories.uploads.videos import CleanVideo, kind_of, read_video
from tests.factories import make_photo_bytes, make_sound_bytes, make_video_bytes

SECRET = "Secret-Maker-4711"
MADE = {form: make_video_bytes(form, seconds=1) for form in ("mp4", "mov", "webm")}
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(data: bytes) -> CleanVideo:
    upload = io.BytesIO(data)
    kind = kind_of(upload)
    assert kind is not None
    return read_as(upload, kind)


def read_as(upload: io.BytesIO, kind: str) -> CleanVideo:
    with tempfile.TemporaryDirectory() as folder:
        return read_video(upload, kind, Path(folder))


def refused(data: bytes) -> UploadError:
    with pytest.raises(UploadError) as refusal:
        read(data)
    return refusal.value


def assert_bare(video: CleanVideo) -> None:
    """One stream, the picture, in a container without a word."""
    with av.open(video.file, "r", format=DEMUXERS[video.kind]) as kept:
        assert [stream.type for stream in kept.streams] == ["video"]
        assert not {"comment", "location", "creation_time"} & set(kept.metadata)
        assert kept.metadata.get("encoder", "Lavf") == "Lavf"  # WebM must name what wrote it
        assert sum(packet.size for packet in kept.demux(video=0)) > 0
    with Image.open(io.BytesIO(video.poster.jpeg)) as poster:
        assert poster.size == (video.poster.width, video.poster.height)


@pytest.mark.parametrize(("form", "kind"), [("mp4", "mp4"), ("mov", "mp4"), ("webm", "webm")])
def test_a_video_keeps_its_picture_and_gets_a_poster(form: str, kind: str) -> None:
    video = read(make_video_bytes(form, seconds=3, size=(160, 120)))
    assert video.kind == kind
    assert video.seconds == pytest.approx(3, abs=0.11)
    assert (video.poster.width, video.poster.height) == (160, 120)
    assert_bare(video)


@pytest.mark.parametrize("form", ["mp4", "mov"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_sound_and_everything_written_beside_the_picture_stay_outside(
    form: str, codec: str
) -> None:
    said = {"comment": SECRET, "location": "+48.1370+011.5750/"}
    data = make_video_bytes(form, codec=codec, sound=True, metadata=said)
    assert SECRET.encode() in data
    video = read(data)
    kept = video.file.read()
    assert_bare(video)
    for secret in (SECRET, "48.137"):
        assert secret.encode() not in kept
    if codec == "libx264":  # the encoder writes its name between the frames
        assert b"x264" in data
        assert b"x264" not in kept


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        *((data, "webm" if form == "webm" else "mp4") for form, data in MADE.items()),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mp4"),
        (make_photo_bytes(), None),
        (make_photo_bytes(kind="HEIF"), None),
        (make_photo_bytes(kind="AVIF"), None),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", None),
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
    assert_bare(read(MADE["mp4"]))


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
    video = read(make_video_bytes(form, codec=codec, seconds=1))
    assert_bare(video)
    video.file.seek(0)
    with av.open(video.file, "r") as kept:
        assert len(list(kept.decode(video=0))) == 10


def test_a_codec_that_browsers_cannot_show_is_refused() -> None:
    error = refused(make_video_bytes("mov", codec="mpeg2video", rate=25))
    assert error.code == "unsupported_type"
    assert str(error).endswith("or a video (MP4, MOV or WebM).")


@pytest.mark.parametrize("form", MADE)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.95])
def test_a_truncated_video_is_refused_or_keeps_what_there_is(form: str, share: float) -> None:
    data = MADE[form]
    try:
        video = read(data[: int(len(data) * share)])
    except UploadError as error:
        assert error.code == "unreadable"  # noqa: PT017
        assert "damaged or incomplete" in str(error)  # noqa: PT017
    else:
        assert_bare(video)


@relaxed
@given(data=st.data(), form=st.sampled_from([*MADE]))
def test_mutated_files_are_refused_or_clean(data: st.DataObject, form: str) -> None:
    whole = bytearray(MADE[form])
    for _ in range(data.draw(st.integers(1, 12))):
        whole[data.draw(st.integers(12, len(whole) - 1))] = data.draw(st.integers(0, 255))
    form = "webm" if form == "webm" else "mp4"
    try:
        video = read_as(io.BytesIO(bytes(whole)), form)
    except UploadError as error:
        assert str(error).endswith((".", "again."))  # noqa: PT017
    else:
        assert_bare(video)


@relaxed
@given(tail=st.binary(max_size=400), form=st.sampled_from([*MADE]))
def test_random_bytes_behind_a_true_beginning_never_crash(tail: bytes, form: str) -> None:
    error: Any = refused(MADE[form][:48] + tail)
    assert error.code in {"unreadable", "no_picture", "unsupported_type"}
