"""Turn decoded video frames into what a player should show.

Cameras store frames rotated or mirrored, with pixels that aren't square, with margins, interlaced,
in HDR or a wide gamut. The result is upright, in square pixels and in BT.709, for viewers and
models alike.
"""

import struct
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ml.display.hdr import lookup_table, needs_table

Margins = tuple[int, int, int, int]
"""Pixels to cut off: left, top, right, bottom."""

Turn = tuple[bool, bool, bool]
"""Whether a picture is transposed, then mirrored left-right, then top-bottom."""

SAR_LIMIT = 8
"""The most that pixels may be wider than high or the other way round; beyond, it's an error."""

_UNKNOWN = 2
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
HD_HEIGHT = 720
"""Height from which a picture that doesn't name its colours is taken for HDTV, as browsers do."""

_FULL_RANGE = 2


@dataclass(frozen=True)
class _Layout:
    """Everything of a frame that the filters depend on."""

    width: int
    height: int
    pixels: str
    matrix: int
    range: int
    transfer: int
    primaries: int
    interlaced: bool
    turn: Turn


class Display:
    """Converts the frames of one stream to pictures of one size.

    The first frame decides the size: its longer side is at most `side` pixels, both sides are
    even. A later frame of another shape is fitted into it with black bars. `pixels` is the pixel
    format of the pictures, "yuv420p" or "rgb24".
    """

    def __init__(
        self, stream: VideoStream, margins: Margins, side: int, pixels: str = "rgb24"
    ) -> None:
        self._aspect = _pixel_aspect(stream.sample_aspect_ratio)
        self._margins, self._side, self._pixels = margins, side, pixels
        self._size: tuple[int, int] | None = None
        self._turn: Turn | None = None
        self._graphs: dict[_Layout, Graph] = {}

    def picture(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame as it's to be shown."""
        if self._turn is None:  # read once: asking keeps a frame in memory until garbage collection
            self._turn = _turn(frame)
        frame = _on_white(frame)
        layout = _layout(frame, self._turn)
        if layout not in self._graphs:
            self._graphs = {layout: self._graph(frame, layout)}
        graph = self._graphs[layout]
        graph.push(frame)
        shown = graph.pull()
        assert isinstance(shown, VideoFrame)  # noqa: S101 - nothing else went in
        return shown

    def _graph(self, frame: VideoFrame, layout: _Layout) -> Graph:
        steps = [*_cut(frame, self._margins)]
        left, top, right, bottom = self._margins if steps else (0, 0, 0, 0)
        width = (frame.width - left - right) * self._aspect
        height = Fraction(frame.height - top - bottom)
        if layout.turn[0]:
            width, height = height, width
        self._size = self._size or _fitted(width, height, self._side, self._side)
        inside = _fitted(width, height, *self._size)
        if layout.interlaced:  # one field alone needs no neighbouring frames
            steps.append(("field", "type=top"))
        steps += _coloured(layout, inside[::-1] if layout.turn[0] else inside)
        steps += [step for step, on in zip(_TURNS, layout.turn, strict=True) if on]
        if inside != self._size:
            steps.append(("pad", "{}:{}:-1:-1".format(*self._size)))
        steps += [("setsar", "1"), ("format", self._pixels)]
        return _linked(frame, steps)


_TURNS = (("transpose", "dir=cclock_flip"), ("hflip", ""), ("vflip", ""))


def turn_of(matrix: bytes) -> Turn:
    """Return whether a display matrix transposes, then mirrors left-right, then top-bottom.

    `matrix` holds nine 32-bit integers as FFmpeg gives them. Angles between are rounded.
    """
    if len(matrix) < 36:
        return False, False, False
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _turn(frame: VideoFrame) -> Turn:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return turn_of(bytes(cast("Any", matrix))) if matrix else (False, False, False)


def _layout(frame: VideoFrame, turn: Turn) -> _Layout:
    return _Layout(
        frame.width,
        frame.height,
        frame.format.name,
        int(frame.colorspace),
        int(frame.color_range),
        int(frame.color_trc),
        int(frame.color_primaries),
        bool(frame.interlaced_frame),
        turn,
    )


def _pixel_aspect(ratio: Fraction | None) -> Fraction:
    sound = ratio is not None and Fraction(1, SAR_LIMIT) <= ratio <= SAR_LIMIT
    return ratio if ratio is not None and sound else Fraction(1)


def _fitted(width: Fraction, height: Fraction, widest: int, highest: int) -> tuple[int, int]:
    scale = min(Fraction(1), widest / width, highest / height)
    return _even(width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def _cut(frame: VideoFrame, margins: Margins) -> list[tuple[str, str]]:
    left, top, right, bottom = margins
    width, height = frame.width - left - right, frame.height - top - bottom
    if not any(margins) or min(margins) < 0 or width < 2 or height < 2:
        return []
    return [("crop", f"{width}:{height}:{left}:{top}:exact=1")]


def _coloured(layout: _Layout, size: tuple[int, int]) -> list[tuple[str, str]]:
    """Scale and convert to BT.709."""
    guessed = 1 if layout.height >= HD_HEIGHT else 6
    matrix = guessed if layout.matrix == _UNKNOWN else layout.matrix
    scale = f"{size[0]}:{size[1]}:flags=bilinear"
    if matrix in _MATRICES:
        scale += f":in_color_matrix={_MATRICES[matrix]}"
    scale += ":in_range=" + ("full" if _is_full(layout) else "limited")
    plain = "out_color_matrix=bt709:out_range=limited"
    if not needs_table(layout.transfer, layout.primaries):
        return [("scale", f"{scale}:{plain}")]
    table = _table_file(layout.transfer, layout.primaries)
    return [
        ("scale", scale),
        ("format", "gbrp10le"),
        ("lut3d", f"file='{table}'"),
        ("scale", plain),
    ]


def _is_full(layout: _Layout) -> bool:
    return layout.range == _FULL_RANGE or layout.pixels.startswith(("yuvj", "rgb", "bgr", "gbr"))


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="storify-")


@cache
def _table_file(transfer: int, primaries: int) -> Path:
    path = Path(_folder().name) / f"{transfer}-{primaries}.cube"
    path.write_text(lookup_table(transfer, primaries))
    return path


def _linked(frame: VideoFrame, steps: list[tuple[str, str]]) -> Graph:
    graph = Graph()
    last = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 1000),
    )
    for name, options in steps:
        node = graph.add(name, options or None)
        last.link_to(node)
        last = node
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _on_white(frame: VideoFrame) -> VideoFrame:
    """Return a frame that may be transparent on white."""
    if not any(component.is_alpha for component in frame.format.components):
        return frame
    pixels = frame.to_ndarray(format="rgba").astype(np.uint16)
    alpha = pixels[..., 3:]
    blended = (pixels[..., :3] * alpha + 255 * (255 - alpha)) // 255
    opaque = av.VideoFrame.from_ndarray(blended.astype(np.uint8), format="rgb24")
    opaque.pts, opaque.time_base = frame.pts, frame.time_base
    return opaque
