"""Find the files of an upload: Spotify's zip, one JSON file of it, or tables of playlists."""

from __future__ import annotations

import codecs
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO, cast

from recommender.catalogue.importing.unpacking import check_size, open_zip
from recommender.errors import ImportFailedError
from recommender.library.importing import spotify_export
from recommender.library.importing.items import Item
from recommender.library.importing.tables import table_items

# Unpacked, all that is read of an archive together.
MAX_BYTES = 1024**3
_PIECE = 1 << 20
_ZIP = b"PK\x03\x04"
_TABLES = (".csv", ".tsv", ".txt", ".xlsx")
_NOTHING = (
    "The file holds no music. Choose the zip that Spotify sent you, YourLibrary.json, "
    "Playlist.json or a streaming history from it, or a playlist as a CSV file."
)


def items_in(path: Path, name: str) -> Iterator[Item]:
    """Every track in an uploaded file; raises ImportFailedError if there are none to be found."""
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(codecs.BOM_UTF8)
    if head.startswith(_ZIP):
        yield from _items_in_zip(path)
    elif head.lstrip().startswith((b"{", b"[")):
        yield from _items_in_json(path, name, head)
    else:
        yield from table_items(path)


def _items_in_json(path: Path, name: str, head: bytes) -> Iterator[Item]:
    """A single file of the export: known by its name, else by how it begins."""
    opener = partial(_opened, path)
    if spotify_export.PLAYLISTS.fullmatch(name) or re.match(rb'\s*\{\s*"playlists"', head):
        with opener() as file:
            yield from spotify_export.playlist_items(file)
    elif spotify_export.LIBRARY.fullmatch(name) or re.match(rb'\s*\{\s*"tracks"', head):
        with opener() as file:
            yield from spotify_export.library_items(file)
    elif head.lstrip().startswith(b"["):
        yield from spotify_export.history_items([opener])
    else:
        raise ImportFailedError(_NOTHING)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        yield file


def _items_in_zip(path: Path) -> Iterator[Item]:
    with open_zip(path) as archive:
        members = [one for one in archive.infolist() if not one.is_dir() and not _is_hidden(one)]
        if any(member.flag_bits & 1 for member in members):
            raise ImportFailedError("The archive has a password. Unpack it first.")
        named = {kind: [m for m in members if kind.fullmatch(_name(m))] for kind in _KINDS}
        tables = [m for m in members if _name(m).lower().endswith(_TABLES)]
        read = [*(m for some in named.values() for m in some)] or tables
        if not read:
            raise ImportFailedError(_NOTHING)
        for member in read:
            check_size(member.file_size, member.compress_size, MAX_BYTES)
        if sum(member.file_size for member in read) > MAX_BYTES:
            raise ImportFailedError(f"The file unpacks to more than {MAX_BYTES // 1024**2} MB.")
        if read is tables:
            yield from _items_in_tables(archive, tables)
        else:
            yield from _items_of_export(archive, named)


_KINDS = (spotify_export.LIBRARY, spotify_export.PLAYLISTS, spotify_export.HISTORY)


def _items_of_export(
    archive: zipfile.ZipFile, named: dict[re.Pattern[str], list[zipfile.ZipInfo]]
) -> Iterator[Item]:
    for member in named[spotify_export.LIBRARY]:
        with _member(archive, member) as file:
            yield from spotify_export.library_items(file)
    for member in named[spotify_export.PLAYLISTS]:
        with _member(archive, member) as file:
            yield from spotify_export.playlist_items(file)
    histories = named[spotify_export.HISTORY]
    yield from spotify_export.history_items(partial(_member, archive, m) for m in histories)


def _items_in_tables(
    archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo]
) -> Iterator[Item]:
    """Of an archive of playlists, as exporters pack several."""
    for member in members:
        with TemporaryDirectory(prefix="storify-library-") as folder:
            target = Path(folder) / f"table{PurePosixPath(_name(member)).suffix}"
            with _member(archive, member) as file, target.open("wb") as out:
                shutil.copyfileobj(cast(IO[bytes], file), out, _PIECE)
            try:
                yield from table_items(target)
            except ImportFailedError as error:
                raise ImportFailedError(f"{_name(member)}: {error}") from error


@contextmanager
def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """A file of the archive that can't unpack to more than it says."""
    try:
        with archive.open(member) as file:
            yield cast(BinaryIO, file)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ImportFailedError(
            f"{_name(member)} is damaged or packed in an unusual way. Unpack the file first."
        ) from error


def _name(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).name


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")
