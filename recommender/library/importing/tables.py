"""Read a table of tracks, as Exportify, TuneMyMusic, Soundiiz and others write playlists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recommender.catalogue.importing.columns import COLUMNS
from recommender.catalogue.importing.files import opened
from recommender.catalogue.importing.layouts import layout_of
from recommender.catalogue.importing.rows import BadRowError, RowParser
from recommender.catalogue.importing.track_ids import track_id
from recommender.errors import ImportFailedError, UnknownEncodingError
from recommender.library.importing.items import Item

_NO_COLUMNS = (
    "The file is no list of tracks: it needs a column of Spotify links or ids, or one of titles "
    "and one of artists. Export the playlist with Exportify, TuneMyMusic or Soundiiz."
)
_NO_TEXT = "The file is no text that Storify can read. Save the playlist as CSV in UTF-8."
_NOTHING = Item("table", "", ())


def table_items(path: Path) -> Iterator[Item]:
    """The tracks of a table with ids, URIs or links, or else with titles and artists.

    A list of links needs no header. Of a row that has neither an empty item comes. Features in the
    file aren't used: they could change what other people get who have the same track.
    """
    try:
        with opened(str(path)) as table:
            if any(track_id(cell) for cell in table.header):
                yield from _links([table.header, *(row.cells for row in table.rows)])
                return
            parser = _parser(table.header)
            for row in table.rows:
                yield _NOTHING if isinstance(row.cells, str) else _item(parser, row.cells)
    except UnknownEncodingError as error:  # its message is for those who import a catalogue
        raise ImportFailedError(_NO_TEXT) from error


def _links(rows: Iterable[object]) -> Iterator[Item]:
    for cells in rows:
        ids = [track_id(cell) for cell in cells] if isinstance(cells, Sequence) else []
        yield Item("table", "", (), next(filter(None, ids), ""))


def _parser(header: Sequence[str]) -> RowParser:
    try:
        return RowParser(layout_of(header, needed=(), needs_id=False), frozenset())
    except ImportFailedError as error:  # its message is for those who import a catalogue
        raise ImportFailedError(_NO_COLUMNS) from error


def _item(parser: RowParser, cells: object) -> Item:
    try:
        row = dict(zip(COLUMNS, parser.parse(cells), strict=True))  # type: ignore[arg-type]
    except BadRowError:
        return _NOTHING
    return Item(
        kind="table",
        title=row["title"] or "",
        artists=tuple(row["artists"] or ()),
        spotify_id=row["source_id"] or "",
        isrc=row["isrc"] or "",
        album=row["album"] or "",
    )
