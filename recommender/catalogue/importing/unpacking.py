"""Unpack .gz and .zip files to disk, within limits."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from recommender.errors import ImportFailedError

_PIECE = 1 << 20
# Tables shrink to a tenth or so; only a file made to fill a disk shrinks to a hundredth.
_MAX_RATIO = 100
_ALWAYS_ALLOWED = 64 * 1024**2
_MAX_DIRECTORY = 1 << 20
_END_OF_DIRECTORY = b"PK\x05\x06"
_LONGEST_END = 22 + 0xFFFF
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet")
_PACKED_SUFFIXES = (".xlsx", ".gz")
_SHOWN_NAMES = 10


def check_size(unpacked: int, packed: int, max_bytes: int) -> None:
    """Raise ImportFailedError if a file unpacks to more than a table would."""
    if unpacked > max_bytes:
        raise ImportFailedError(f"The file unpacks to more than {max_bytes // 1024**2} MB.")
    if unpacked > max(_ALWAYS_ALLOWED, packed * _MAX_RATIO):
        raise ImportFailedError(
            f"The file unpacks to more than {_MAX_RATIO} times its size, which no table does."
        )


def unpack_gzip(path: Path, target: Path, max_bytes: int) -> None:
    """Write the content of a .gz file to `target`."""
    with gzip.open(path) as packed:
        _copy(packed.read, target, path.stat().st_size, max_bytes)


def unpack_zip(path: Path, target: Path, max_bytes: int) -> None:
    """Write the one table in a .zip file to `target`."""
    with open_zip(path) as archive:
        member = _only_table(archive.infolist())
        if member.flag_bits & 1:
            raise ImportFailedError("The archive has a password. Unpack it first.")
        check_size(member.file_size, member.compress_size, max_bytes)
        try:
            with archive.open(member) as packed:
                _copy(packed.read, target, member.compress_size, max_bytes)
        except NotImplementedError as error:
            raise ImportFailedError(
                "The archive uses a compression that isn't supported. Unpack it first."
            ) from error


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open an archive whose directory is of a usual size: all of it is held in memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_END))
        tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise ImportFailedError("The archive holds too many files.")
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ImportFailedError("The archive is damaged.") from error


def _copy(read: Callable[[int], bytes], target: Path, packed_size: int, max_bytes: int) -> None:
    written = 0
    try:
        with target.open("wb") as out:
            while piece := read(_PIECE):
                written += len(piece)
                check_size(written, packed_size, max_bytes)
                out.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise ImportFailedError("The file is damaged or incomplete and can't be unpacked.") from (
            error
        )


def _only_table(members: Iterable[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    files = [member for member in members if not member.is_dir() and not _is_hidden(member)]
    tables = [
        member
        for member in files
        if member.filename.lower().endswith((*_TABLE_SUFFIXES, *_PACKED_SUFFIXES))
        and not PurePosixPath(member.filename.lower()).stem.startswith(("readme", "license"))
    ]
    candidates = tables or (files if len(files) == 1 else [])
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise ImportFailedError(
            "The archive holds no table. Save a spreadsheet of another program as .xlsx or CSV."
        )
    names = ", ".join(member.filename for member in candidates[:_SHOWN_NAMES])
    raise ImportFailedError(
        f"The archive holds {len(candidates)} tables ({names}). Unpack it and import them one by "
        "one."
    )


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")
