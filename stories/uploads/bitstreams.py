"""Reduces the packets of a video to what a decoder needs.

Cameras and programs write settings, locations, serial numbers and arbitrary data between frames.
Only the units listed here are kept, and headers are rewritten from their parsed fields. The coded
pixels of a frame aren't inspected: finding data after their end would take decoding every frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

# The units of each codec that carry the picture: slices or frames, and their parameter sets.
_FILTERS = {
    "h264": "filter_units=pass_types=1|5|7|8,h264_metadata=aud=remove",
    "hevc": "filter_units=pass_types=0-9|16-21|32-34,hevc_metadata=aud=remove",
    "av1": "filter_units=pass_types=1|3|4|6,av1_metadata=td=remove:delete_padding=1",
    "vp9": "vp9_superframe_split",
}
# Filters that reassemble what _FILTERS split.
_JOINERS = {"vp9": "vp9_metadata,vp9_superframe"}
_START = b"\0\0\1"
# Video objects and layers, visual object sequences, groups and planes; no user data, no stuffing.
_MPEG4_CODES = frozenset((*range(0x30), 0xB0, 0xB1, 0xB3, 0xB5, 0xB6))


class BareBitstream:
    """Strips the packets of `stream` for `copied`, whose codec data is stripped, too."""

    def __init__(self, stream: VideoStream, copied: VideoStream, codec: str) -> None:
        self._copied = copied
        self._filter = BitStreamFilterContext(_FILTERS.get(codec, "null"), stream, copied)
        self._join = BitStreamFilterContext(_JOINERS.get(codec, "null"), copied, copied)
        self._strip = _STRIPS.get(codec, _as_it_is)
        if codec == "mpeg4":
            copied.codec_context.extradata = _mpeg4(copied.codec_context.extradata or b"")
        elif codec in {"vp8", "vp9"}:  # their packets are self-contained
            copied.codec_context.extradata = None

    def filter(self, packet: Packet[VideoStream]) -> Iterator[Packet[Stream]]:
        """Yield the stripped packets, without side data (captions, alpha, locations)."""
        for kept in self._filter.filter(packet):
            if data := self._strip(bytes(kept)):
                for joined in self._join.filter(self._bare(kept, data)):
                    joined.stream = self._copied
                    yield joined

    def _bare(self, kept: Packet[Stream], data: bytes) -> Packet[Stream]:
        bare: Packet[Stream] = Packet(data)
        bare.time_base, bare.stream = kept.time_base, self._copied
        bare.pts, bare.dts, bare.duration = kept.pts, kept.dts, kept.duration
        bare.is_keyframe = kept.is_keyframe
        return bare


def _as_it_is(data: bytes) -> bytes:
    return data


def _hevc(data: bytes) -> bytes:
    """Remove the layers above the base: other views, alpha, auxiliary pictures."""
    units = (unit.rstrip(b"\0") for unit in data.split(_START)[1:])
    return b"".join(_START + unit for unit in units if _is_base_layer(unit))


def _is_base_layer(unit: bytes) -> bool:
    return len(unit) > 2 and not unit[0] & 1 and not unit[1] >> 3


def _vp9(data: bytes) -> bytes:
    """Cut frames that only repeat an earlier one to their header: a byte, or two in profile 3."""
    if data[0] >> 6 != 0b10:
        return b""
    fourth = data[0] >> 4 & 0b11 == 0b11
    shows_again = data[0] & (0b100 if fourth else 0b1000)
    return data[: 1 + fourth] if shows_again else data


def _mpeg4(data: bytes) -> bytes:
    units = data.split(_START)[1:]
    return b"".join(_START + unit for unit in units if unit and unit[0] in _MPEG4_CODES)


_STRIPS: dict[str, Callable[[bytes], bytes]] = {"hevc": _hevc, "mpeg4": _mpeg4, "vp9": _vp9}
