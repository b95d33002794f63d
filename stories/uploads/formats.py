"""The accepted upload types and their limits.

Upload readers, the API schema, `manage.py suggest`, the upload page and its script all read this
list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ml.video import MAX_PIXELS as MAX_VIDEO_PIXELS

MEGABYTE = 1024 * 1024
MAX_SECONDS = 60
# Cameras stop a little late, and what is cut to a minute is often a few frames longer.
SLACK_SECONDS = 1.0
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_RAW_BRAND = b"crx "
_EBML = b"\x1a\x45\xdf\xa3"
_VIDEO, _SOUND = "a video of another kind", "only sound"
# Where in the file, what stands there, and what the file is; the first that fits counts.
_REFUSED = (
    (0, b"II*\x00", "a TIFF"),
    (0, b"MM\x00*", "a TIFF"),
    (0, b"II+\x00", "a TIFF"),
    (0, b"MM\x00+", "a TIFF"),
    (0, b"BM", "a BMP"),
    (0, b"%PDF", "a PDF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (4, b"ftyp" + _RAW_BRAND, "a raw photo"),
    (4, b"ftyp", _VIDEO),
    (0, _EBML, _VIDEO),
    (8, b"AVI ", _VIDEO),
    (28, b"\x80theora", _VIDEO),
    (0, b"OggS", _SOUND),
    (8, b"WAVE", _SOUND),
    (0, b"ID3", _SOUND),
    (0, b"fLaC", _SOUND),
    (0, b"#!AMR", _SOUND),
    *((0, bytes((0xFF, second)), _SOUND) for second in (0xF1, 0xF2, 0xF3, 0xF9, 0xFB)),
)


@dataclass(frozen=True)
class UploadFormat:
    """One file type: the name people know, its decoder, and how to recognise it.

    `decoder` is the Pillow format of a photo or the FFmpeg container of a video. `matches` gets
    at least the first 64 bytes of a file (256 for a photo) or all of a shorter one.
    """

    name: str
    decoder: str
    mime_types: tuple[str, ...]
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]


@dataclass(frozen=True)
class Medium:
    """Photos or videos: their formats and limits. `resolution` is `max_pixels` in words."""

    formats: tuple[UploadFormat, ...]
    megabytes: int
    max_pixels: int
    resolution: str
    max_seconds: int | None = None

    @property
    def max_bytes(self) -> int:
        return self.megabytes * MEGABYTE

    @property
    def names(self) -> str:
        """The names as in "MP4, MOV or WebM"."""
        *most, last = (one.name for one in self.formats)
        return f"{', '.join(most)} or {last}" if most else last

    @property
    def accept(self) -> str:
        """MIME types and extensions in the syntax of HTML's `accept` attribute."""
        types = [name for one in self.formats for name in one.mime_types]
        return ",".join(types + [name for one in self.formats for name in one.extensions])

    def detect(self, head: bytes) -> UploadFormat | None:
        """Find the format that the first bytes of a file show; None if it is none of these."""
        return next((one for one in self.formats if one.matches(head)), None)


def _is_jpeg(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def _is_png(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_heic(head: bytes) -> bool:
    return head[8:12] in _HEIC_BRANDS and bool(_brands(head)) and not _is_avif(head)


def _brands(head: bytes) -> set[bytes]:
    """The brands that a file of ISO/IEC 14496-12 names; none of another file."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[: min(int.from_bytes(head[:4], "big"), 256)]
    return {box[8:12], *(box[i : i + 4] for i in range(16, len(box) - 3, 4))}


def _is_mp4(head: bytes) -> bool:
    stills = _HEIC_BRANDS | _AVIF_BRANDS
    return head[4:8] == b"ftyp" and head[8:12] not in stills | {b"qt  ", _RAW_BRAND}


def _is_quicktime(head: bytes) -> bool:
    return head[4:12] == b"ftypqt  " or head[4:8] in _QUICKTIME_ATOMS


def _is_webm(head: bytes) -> bool:
    return head.startswith(_EBML) and b"webm" in head[:64]


def _is_matroska(head: bytes) -> bool:
    return head.startswith(_EBML) and b"matroska" in head[:64]


def _is_gif(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a"))


def _is_avif(head: bytes) -> bool:
    return bool(_brands(head) & _AVIF_BRANDS)


def _is_moving_avif(head: bytes) -> bool:
    return b"avis" in _brands(head)


PHOTO = Medium(
    formats=(
        UploadFormat("JPEG", "JPEG", ("image/jpeg",), (".jpg", ".jpeg"), _is_jpeg),
        UploadFormat("PNG", "PNG", ("image/png",), (".png",), _is_png),
        UploadFormat("WebP", "WEBP", ("image/webp",), (".webp",), _is_webp),
        UploadFormat("HEIC", "HEIF", ("image/heic", "image/heif"), (".heic", ".heif"), _is_heic),
        UploadFormat("AVIF", "AVIF", ("image/avif",), (".avif",), _is_avif),
        UploadFormat("GIF", "GIF", ("image/gif",), (".gif",), _is_gif),
    ),
    megabytes=40,
    max_pixels=80_000_000,
    resolution="80 megapixels",
)
VIDEO = Medium(
    formats=(
        UploadFormat("MP4", "mp4", ("video/mp4", "video/x-m4v"), (".mp4", ".m4v"), _is_mp4),
        UploadFormat("MOV", "mp4", ("video/quicktime",), (".mov",), _is_quicktime),
        UploadFormat("WebM", "webm", ("video/webm",), (".webm",), _is_webm),
        UploadFormat("MKV", "webm", ("video/x-matroska",), (".mkv",), _is_matroska),
    ),
    megabytes=100,
    max_pixels=MAX_VIDEO_PIXELS,
    resolution="4K",
    max_seconds=MAX_SECONDS,
)
# Pictures that move are sent as photos and kept as videos, with the limits of videos.
ANIMATED = (
    UploadFormat("AVIF", "avif", (), (), _is_moving_avif),
    UploadFormat("GIF", "gif", (), (), _is_gif),
)
ACCEPTED = f"a photo ({PHOTO.names}) or a video ({VIDEO.names})"


def describe_refused(data: bytes) -> str:
    """Name a file that is not accepted, as in "a GIF"."""
    for at, magic, name in _REFUSED:
        if data.startswith(magic, at):
            return name
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and b"<svg" in start:
        return "an SVG drawing"
    if start.startswith(b"<"):
        return "a web page"
    return "neither a photo nor a video that we can read"
