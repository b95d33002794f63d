"""What phones, cameras and browsers write as videos, and the one form in which it's kept."""

from __future__ import annotations

import gc
import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

from ml.video import SIDE, VideoUnreadable, sample
from stories.uploads.transcoding import constant_rate, transcode
from stories.uploads.videos import kind_of
from tests.factories import make_sound_bytes, make_video_bytes
from tests.stories.uploads.test_hidden_data import box, inside

SAMPLE_ENTRY = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"]
CORNERS = ((255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 255, 255))


def corners(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red and green above blue and white."""
    quarter = Image.new("RGB", (2, 2))
    quarter.putdata(CORNERS)
    return quarter.resize(size, Image.Resampling.NEAREST)


def video_of(
    pictures: list[Image.Image] | list[Any],
    form: str = "mp4",
    codec: str = "libx264",
    *,
    pixels: str = "yuv420p",
    at: list[int] | None = None,
    sound: str = "",
    options: dict[str, str] | None = None,
    **properties: Any,
) -> bytes:
    """A video of ten frames a second, or with each frame at a tenth of a second of `at`."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as target:
        stream: Any = target.add_stream(codec, rate=10, options=options or {})
        for name, value in properties.items():
            setattr(stream.codec_context, name, value)
        heard: Any = target.add_stream(sound, rate=48_000) if sound else None
        for number, picture in enumerate(pictures):
            frame: Any = (
                av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
                if isinstance(picture, Image.Image)
                else av.VideoFrame.from_ndarray(picture, format=pixels)
            )
            if not number:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
            frame.pts, frame.time_base = at[number] if at else number, Fraction(1, 10)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
        if heard:
            silence: Any = av.AudioFrame.from_ndarray(
                np.zeros((1, 1920), np.int16), format="s16", layout="stereo"
            )
            silence.sample_rate, silence.pts = 48_000, 0
            target.mux([*heard.encode(silence), *heard.encode(None)])
    return file.getvalue()


def kept(
    data: bytes, folder: Path, *, reshaped: bool = False
) -> tuple[Fraction, list[np.ndarray[Any, Any]]]:
    """The stored video's rate and its pictures; the models see the same pictures."""
    upload, target = io.BytesIO(data), folder / "video.mp4"
    kind = kind_of(upload)
    assert kind
    transcode(upload, kind, target)
    with av.open(target) as container:
        (stream,) = container.streams
        codec: Any = stream.codec_context
        assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
        rate = container.streams.video[0].average_rate
        frames = list(container.decode(video=0))
    assert {int(frame.colorspace) for frame in frames} == {1}
    pictures = [
        frame.reformat(format="rgb24", src_colorspace="ITU709", threads=1).to_ndarray()
        for frame in frames
    ]
    seen = np.asarray(sample(upload, kind, 1)[0].picture, dtype=float)
    alike = [picture for picture in pictures if picture.shape == seen.shape]
    assert reshaped or min(np.abs(seen - picture).mean() for picture in alike) < 12
    assert target.read_bytes().index(b"moov") < target.read_bytes().index(b"mdat")
    return rate or Fraction(0), pictures


def quarters(picture: np.ndarray[Any, Any]) -> list[tuple[int, ...]]:
    """The colours in the middles of the four quarters."""
    high, wide = picture.shape[:2]
    places = ((y, x) for y in (high // 4, high * 3 // 4) for x in (wide // 4, wide * 3 // 4))
    return [tuple(int(value) for value in picture[y, x]) for y, x in places]


def assert_like(picture: np.ndarray[Any, Any], wanted: Image.Image, tolerance: int = 25) -> None:
    pairs = zip(quarters(picture), quarters(np.asarray(wanted)), strict=True)
    for colour, expected in pairs:
        assert np.abs(np.subtract(colour, expected)).max() <= tolerance, (colour, expected)


ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((ONE, 0, 0, ONE), None),
        ((-ONE, 0, 0, ONE), Transpose.FLIP_LEFT_RIGHT),
        ((ONE, 0, 0, -ONE), Transpose.FLIP_TOP_BOTTOM),
        ((-ONE, 0, 0, -ONE), Transpose.ROTATE_180),
        ((0, ONE, -ONE, 0), Transpose.ROTATE_270),  # clockwise
        ((0, -ONE, ONE, 0), Transpose.ROTATE_90),
        ((0, ONE, ONE, 0), Transpose.TRANSPOSE),
        ((0, -ONE, -ONE, 0), Transpose.TRANSVERSE),
    ],
)
def test_turned_and_mirrored_videos_are_upright(
    matrix: tuple[int, ...], turn: Transpose | None, tmp_path: Path
) -> None:
    data = bytearray(video_of([corners()] * 3))
    a, b, c, d = matrix
    place = data.find(b"tkhd") + 44
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    wanted = corners() if turn is None else corners().transpose(turn)
    _, pictures = kept(bytes(data), tmp_path)
    assert pictures[0].shape[1::-1] == wanted.size
    assert_like(pictures[0], wanted)
    assert_like(np.asarray(sample(io.BytesIO(data), "mp4", 1)[0].picture), wanted)


@pytest.mark.parametrize(
    ("ratio", "size"),
    [(Fraction(2), (128, 48)), (Fraction(4, 3), (86, 48)), (Fraction(1, 2), (32, 48))],
)
def test_pixels_become_square(ratio: Fraction, size: tuple[int, int], tmp_path: Path) -> None:
    _, pictures = kept(video_of([corners()] * 3, sample_aspect_ratio=ratio), tmp_path)
    assert pictures[0].shape[1::-1] == size
    assert_like(pictures[0], corners(size))


@pytest.mark.parametrize("ratio", [Fraction(1000), Fraction(1, 1000)])
def test_an_impossible_shape_of_pixels_is_ignored(ratio: Fraction, tmp_path: Path) -> None:
    _, pictures = kept(video_of([corners()] * 3, sample_aspect_ratio=ratio), tmp_path)
    assert pictures[0].shape[1::-1] == (64, 48)


def grey(level: float, size: tuple[int, int] = (64, 64)) -> np.ndarray[Any, Any]:
    """A grey picture in YUV with ten bits and limited range."""
    planes = np.full((size[1] * 3 // 2, size[0]), 512, np.uint16)
    planes[: size[1]] = round(64 + 876 * level)
    return planes


@pytest.mark.parametrize(
    ("transfer", "coded", "shown"),
    [
        (16, 0.58, 0.88),  # PQ: 203 nits, a white sheet of paper
        (16, 0.38, 0.38),  # 25 nits
        (16, 1.0, 1.0),
        (18, 0.75, 0.88),  # HLG: 203 nits
        (18, 0.38, 0.38),  # 23 nits
        (18, 1.0, 1.0),
    ],
)
def test_hdr_is_mapped_to_sdr(transfer: int, coded: float, shown: float, tmp_path: Path) -> None:
    colours: dict[str, Any] = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9}
    once = {"x265-params": "bframes=0:log-level=none"}
    data = video_of(
        [grey(coded)] * 2, "mov", "libx265", pixels="yuv420p10le", options=once, **colours
    )
    _, pictures = kept(data, tmp_path)
    assert pictures[0].mean() / 255 == pytest.approx(shown, abs=0.03)
    assert np.ptp(pictures[0].mean((0, 1))) < 3  # it stays grey


def test_display_p3_becomes_srgb(tmp_path: Path) -> None:
    colours: dict[str, Any] = {
        "color_trc": 13,
        "color_primaries": 12,
        "colorspace": 1,
        "color_range": 1,
    }
    skin = Image.new("RGB", (64, 48), (200, 150, 130))
    _, wide = kept(video_of([skin] * 2, **colours), tmp_path)
    _, plain = kept(video_of([skin] * 2, **{**colours, "color_primaries": 1}), tmp_path)
    red, green, blue = wide[0].mean((0, 1)) - plain[0].mean((0, 1))
    assert red > 4  # the same numbers mean a redder red there
    assert green < 2
    assert blue < 0


def test_full_range_is_not_clipped(tmp_path: Path) -> None:
    ramp = np.full((72, 64), 128, np.uint8)
    ramp[:48] = np.linspace(0, 255, 64).astype(np.uint8)
    data = video_of([ramp] * 2, color_range=2)
    shown = kept(data, tmp_path)[1][0][..., 0].mean(0)
    assert shown[0] < 6
    assert shown[-1] > 249
    assert np.abs(shown - np.linspace(0, 255, 64)).max() < 8


def test_the_clean_aperture_is_cut_out(tmp_path: Path) -> None:
    whole = Image.new("RGB", (64, 48), "black")
    whole.paste(corners((32, 32)), (24, 8))
    # 32 by 32 pixels whose middle is 8 to the right of the frame's
    clap = box(b"clap", struct.pack(">IIIIiIiI", 32, 1, 32, 1, 8, 1, 0, 1))
    data = video_of([whole] * 2, options={"crf": "1"})
    _, pictures = kept(inside(SAMPLE_ENTRY, clap, data), tmp_path)
    assert pictures[0].shape[1::-1] == (32, 32)
    assert_like(pictures[0], corners())


@pytest.mark.parametrize(
    "numbers",
    [(200, 1, 32, 1, 0, 1, 0, 1), (32, 0, 32, 1, 0, 1, 0, 1), (32, 1, 32, 1, 60, 1, 0, 1)],
)
def test_an_impossible_aperture_is_ignored(numbers: tuple[int, ...], tmp_path: Path) -> None:
    clap = box(b"clap", struct.pack(">IIIIiIiI", *numbers))
    _, pictures = kept(inside(SAMPLE_ENTRY, clap, video_of([corners()] * 2)), tmp_path)
    assert pictures[0].shape[1::-1] == (64, 48)


def test_a_varying_rate_becomes_constant(tmp_path: Path) -> None:
    shades = [Image.new("RGB", (64, 48), (v, v, v)) for v in (0, 60, 120, 250)]
    rate, pictures = kept(video_of(shades, at=[0, 1, 2, 9]), tmp_path)
    assert rate == 10
    shown = [round(picture.mean()) for picture in pictures]
    assert len(shown) == 10
    assert np.allclose(shown, [0, 60, *[120] * 7, 250], atol=6)


@pytest.mark.parametrize(
    ("rate", "constant"),
    [
        (24, 24), (29.97, Fraction(30000, 1001)), (59.94, Fraction(30000, 1001)), (50, 25),
        (240, 30), (120, 30), (1000 / 67, 15), (1000 / 33, 30), (17.3, 30), (0.5, 30), (90_000, 30),
    ],
)  # fmt: skip
def test_rates(rate: float, constant: Fraction) -> None:
    assert constant_rate(rate) == constant


@pytest.mark.parametrize("size", [(63, 47), (17, 200)])
def test_odd_sizes_become_even(size: tuple[int, int], tmp_path: Path) -> None:
    _, pictures = kept(video_of([corners(size)] * 2, "webm", "libvpx"), tmp_path)
    assert np.abs(np.subtract(pictures[0].shape[1::-1], size)).max() <= 1


def test_a_large_video_becomes_smaller(tmp_path: Path) -> None:
    _, pictures = kept(video_of([corners((1920, 1080))] * 2), tmp_path)
    assert pictures[0].shape[1::-1] == (SIDE, 720)
    assert_like(pictures[0], corners())


def test_interlaced_lines_are_taken_apart(tmp_path: Path) -> None:
    combed = np.zeros((64, 64, 3), np.uint8)
    combed[::2] = 200
    data = video_of([Image.fromarray(combed)] * 3, options={"x264-params": "interlaced=1:crf=1"})
    _, pictures = kept(data, tmp_path)
    assert pictures[0].std(axis=0).max() < 12
    assert pictures[0].mean() > 150


@pytest.mark.parametrize("sound", ["", "libopus"])
def test_matroska_of_a_browsers_recorder_is_kept_without_sound(sound: str, tmp_path: Path) -> None:
    data = video_of([corners()] * 5, "matroska", sound=sound)
    rate, pictures = kept(data, tmp_path)
    assert (len(pictures), rate) == (5, Fraction(10))
    assert_like(pictures[0], corners())


def test_a_picture_that_changes_its_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    wide, tall = (video_of([corners(size)] * 3, "h264") for size in ((64, 48), (48, 64)))
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wide + tall), "r", format="h264") as source,
        av.open(file, "w", format="matroska") as target,
    ):
        copied: Any = target.add_stream_from_template(source.streams.video[0])
        packets: list[Any] = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            packet.time_base, packet.stream = Fraction(1, 10), copied
            packet.pts, packet.dts, packet.duration = number, number, 1
            target.mux(packet)
    _, pictures = kept(file.getvalue(), tmp_path, reshaped=True)
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    assert_like(pictures[0], corners())
    assert pictures[-1][:, :10].mean() < 10  # black beside the tall one


@pytest.mark.parametrize("data", [b"", bytes(500), make_sound_bytes()])
def test_a_file_without_a_picture_is_an_error(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(VideoUnreadable):
        transcode(io.BytesIO(data), "mp4", tmp_path / "video.mp4")


def test_what_is_damaged_is_shown_as_the_picture_before(tmp_path: Path) -> None:
    data = bytearray(make_video_bytes(seconds=4, keys_apart=10))
    start, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    third = (end - start) // 3
    data[start + third : end - third] = bytes(end - start - 2 * third)
    _, pictures = kept(bytes(data), tmp_path)
    assert len(pictures) == 40


def test_no_frame_stays_in_memory(tmp_path: Path) -> None:
    """A minute of 4K would be 20 GB; reference cycles keep frames until a garbage collection."""
    data = make_video_bytes(seconds=3)
    gc.collect()
    gc.disable()
    try:
        transcode(io.BytesIO(data), "mp4", tmp_path / "video.mp4")
        left = sum(type(one) is av.VideoFrame for one in gc.get_objects())
    finally:
        gc.enable()
    assert left < 6
