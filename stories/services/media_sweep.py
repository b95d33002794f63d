"""Remove files without a row after a day and report rows without a file.

A file is stored before its row is committed and deleted after its row, so a process that is killed
in between leaves an orphaned file.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import cast
from uuid import UUID

from django.core.files.storage import Storage
from django.db.models import FileField
from django.utils import timezone

from stories.models import Photo, Video

# Longer than any upload takes; a younger file may still get its row.
LEFT_AFTER = timedelta(days=1)
# Files are in folders named after the first byte of their story's id. Folders are compared with
# their rows one at a time, to limit memory.
_FOLDER = re.compile("[0-9a-f]{2}")
# With more orphaned files than this, and than other files, the database probably belongs to another
# site than the storage, and nothing is removed.
SUSPICIOUS = 1000
# One run removes at most this many files; the next continues.
MOST_REMOVED = 100_000
MOST_NAMED = 100

logger = logging.getLogger(__name__)


@dataclass
class Sweep:
    """Counts of files; `missing` names the first of the `n_missing` files that rows refer to."""

    files: int = 0
    without_row: int = 0
    too_young: int = 0
    removed: int = 0
    n_missing: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def is_suspicious(self) -> bool:
        return self.without_row > max(SUSPICIOUS, self.files - self.without_row)


def sweep_media(*, dry_run: bool = False, force: bool = False) -> Sweep:
    """Remove files older than a day that have no row, and report rows that have no file.

    If that would be most of the files, it removes nothing without `force`.
    """
    sweep = Sweep()
    left: list[tuple[Storage, str]] = []
    for column in _columns():
        for folder, rows in _folders(column):
            names = _compare(sweep, column, folder, rows)
            left += [(column.storage, name) for name in names[: MOST_REMOVED - len(left)]]
    if not dry_run and (force or not sweep.is_suspicious):
        for storage, name in left:
            storage.delete(name)
            sweep.removed += 1
    _log(sweep)
    return sweep


def _columns() -> list[FileField]:
    named = ((Photo, "file"), (Photo, "thumbnail"), (Video, "file"), (Video, "source"))
    return [cast("FileField", model._meta.get_field(name)) for model, name in named]


def _folders(column: FileField) -> Iterator[tuple[str, set[str]]]:
    """Every folder that has rows or files of this column, with the file names in its rows.

    Rows are read before files; a file stored in between is too young to be removed.
    """
    done = set()
    stored = column.model._default_manager.exclude(**{column.name: ""})
    rows = stored.order_by("story_id").values_list(column.name, flat=True)
    for folder, names in groupby(rows.iterator(), posixpath.dirname):
        if folder in done:  # files of the earlier rows would look orphaned
            raise ValueError(f"the rows of {folder} aren't contiguous")
        done.add(folder)
        yield folder, set(names)
    example = column.generate_filename(column.model(story_id=UUID(int=0)), "any.file")
    above = posixpath.dirname(posixpath.dirname(example))
    for name in _list(column.storage, above)[0]:
        if _FOLDER.fullmatch(name) and f"{above}/{name}" not in done:
            yield f"{above}/{name}", set()


def _compare(sweep: Sweep, column: FileField, folder: str, rows: set[str]) -> list[str]:
    """Count the files and rows of a folder; return the files to be removed."""
    files = {f"{folder}/{name}" for name in _list(column.storage, folder)[1]}
    without_row = sorted(files - rows)
    old = [name for name in without_row if _is_old(column.storage, name)]
    sweep.files += len(files)
    sweep.without_row += len(without_row)
    sweep.too_young += len(without_row) - len(old)
    for name in sorted(rows - files):
        _note_missing(sweep, column, name)
    return old


def _list(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _is_old(storage: Storage, name: str) -> bool:
    try:
        return storage.get_modified_time(name) < timezone.now() - LEFT_AFTER
    except FileNotFoundError:  # deleted at this moment
        return False


def _note_missing(sweep: Sweep, column: FileField, name: str) -> None:
    if len(sweep.missing) < MOST_NAMED:
        # Looked at again, because a story may have been deleted since its row was read.
        if not column.model._default_manager.filter(**{column.name: name}).exists():
            return
        sweep.missing.append(name)
    sweep.n_missing += 1


def _log(sweep: Sweep) -> None:
    if sweep.removed:
        logger.warning("removed %d files without a story", sweep.removed)
    if sweep.is_suspicious and not sweep.removed:
        logger.error(
            "%d of %d files have no story and none was removed: do DATABASE_URL and the storage"
            " belong together? If they do, run manage.py sweep_media --force",
            *(sweep.without_row, sweep.files),
        )
    if sweep.n_missing:
        logger.error(
            "%d files of stories are missing, among them: %s",
            *(sweep.n_missing, ", ".join(sweep.missing)),
        )
