"""Open a catalogue file of any supported kind, at a path or an https address."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from recommender.catalogue.importing.downloads import download
from recommender.catalogue.importing.formats import (
    delimited,
    encodings,
    json_lines,
    parquet,
    workbooks,
)
from recommender.catalogue.importing.tables import Table
from recommender.catalogue.importing.unpacking import (
    check_size,
    open_zip,
    unpack_gzip,
    unpack_zip,
)
from recommender.errors import ImportFailedError

MAX_BYTES = 2 * 1024**3
_HEAD = 4096
# A workbook or table within an archive that a program packed once more.
_MAX_NESTING = 2
_PARQUET, _GZIP, _ZIP = b"PAR1", b"\x1f\x8b", b"PK\x03\x04"
_REFUSED = {
    b"\xd0\xcf\x11\xe0": "The workbook has a password or is in the old .xls format. "
    "Save it as .xlsx or CSV without a password.",
    b"PK\x05\x06": "The archive is empty.",
    b"BZh": "The file is packed with bzip2. Unpack it first.",
    b"\xfd7zXZ": "The file is packed with xz. Unpack it first.",
    b"\x28\xb5\x2f\xfd": "The file is packed with zstd. Unpack it first.",
    b"7z\xbc\xaf": "The file is packed with 7-Zip. Unpack it first.",
    b"Rar!": "The file is packed with RAR. Unpack it first.",
    b"SQLite format 3": "The file is a database. Export the table as CSV.",
    b"ARROW1": "The file is in the Arrow format. Save it as Parquet.",
    b"%PDF": "The file is a PDF. Import the table as CSV.",
}
_PAGE_OR_XML = b"<"
_BEFORE_TEXT = b"\xef\xbb\xbf \t\r\n"


@contextmanager
def opened(
    source: str,
    *,
    encoding: str | None = None,
    transport: httpx.BaseTransport | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Table]:
    """The table at a path or https address; raises ImportFailedError if there is none.

    `encoding` is that of a text file, where it can't be told.
    """
    with tempfile.TemporaryDirectory(prefix="storify-import-") as folder:
        path = Path(source)
        if "://" in source:
            path = Path(folder) / "download"
            download(source, path, transport, max_bytes)
        yield from _Opener(Path(folder), encoding, max_bytes).table(path)


class _Opener:
    def __init__(self, folder: Path, encoding: str | None, max_bytes: int) -> None:
        self._folder, self._encoding, self._max_bytes = folder, encoding, max_bytes

    def table(self, path: Path, nesting: int = 0) -> Iterator[Table]:
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD)
        except OSError as error:
            raise ImportFailedError(f"The file cannot be read: {error.strerror}.") from error
        if head.startswith(_PARQUET):
            yield from parquet.read(path)
        elif head.startswith((_GZIP, _ZIP)):
            yield from self._packed(path, nesting, is_zip=head.startswith(_ZIP))
        else:
            yield from self._text(path, head)

    def _packed(self, path: Path, nesting: int, *, is_zip: bool) -> Iterator[Table]:
        if is_zip:
            with open_zip(path) as archive:
                if workbooks.is_workbook(archive):
                    total = sum(member.file_size for member in archive.infolist())
                    check_size(total, path.stat().st_size, self._max_bytes)
                    yield from workbooks.read(path, archive)
                    return
        if nesting >= _MAX_NESTING:
            raise ImportFailedError("The file is an archive within archives. Unpack it first.")
        target = self._folder / f"unpacked-{nesting}"
        (unpack_zip if is_zip else unpack_gzip)(path, target, self._max_bytes)
        yield from self.table(target, nesting + 1)

    def _text(self, path: Path, head: bytes) -> Iterator[Table]:
        if reason := next((why for magic, why in _REFUSED.items() if head.startswith(magic)), None):
            raise ImportFailedError(reason)
        if head[257:262] == b"ustar":
            raise ImportFailedError("The file is a tar archive. Unpack it first.")
        if head.lstrip(_BEFORE_TEXT).startswith(_PAGE_OR_XML):
            raise ImportFailedError(
                "The file is a web page or XML, not a table. Download the file itself; the site "
                "may want you to sign in first. Save a spreadsheet as .xlsx or CSV."
            )
        codec = encodings.codec_of(path, self._encoding)
        start = head.decode(codec, errors="ignore").lstrip("\ufeff \r\n\t")
        is_json = start.startswith(("{", "["))
        yield from (json_lines if is_json else delimited).read(path, codec)
