"""Load tracks and interactions as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.tracks.content import FEATURES, FloatArray, standardise
from recommender.engine.tracks.song_keys import artist_keys, fold

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """Interactions of users 0 ... n_users - 1 with items 0 ... n_items - 1."""

    n_users: int
    users: IntArray
    """(n,): the user of each interaction, ascending; pairs are unique."""
    items: IntArray
    """(n,): the item of each interaction."""
    mood_points: FloatArray
    """(n_items, 2): valence, energy."""
    content: FloatArray
    """(n_items, 10): content vectors."""
    credited: Sequence[frozenset[str]]
    """(n_items,): the keys of the artists credited."""
    genre_names: Sequence[str]
    """(n_items,): "" where unknown."""
    artists: Any
    """CSR (n_items, n_artists): `credited` as a matrix."""
    albums: Any
    """CSR (n_items, n_albums)."""
    genres: Any
    """CSR (n_items, n_genres)."""
    years: FloatArray
    """(n_items,): of release; NaN where unknown."""
    fame: FloatArray
    """(n_items,) in [0, 1]: popularity in the catalogue; NaN where unknown."""
    scored: IntArray
    """Users whose lists are measured; all users are trained on."""
    titles: Sequence[str] = ()
    """(n_users,): the folded title of each user's list, "" where unknown; or none at all."""

    @property
    def n_items(self) -> int:
        """The items that can be recommended, whether or not anybody has them."""
        return len(self.mood_points)

    def bounds(self) -> IntArray:
        """(n_users + 1,): the interactions of user u are bounds[u] ... bounds[u + 1] - 1."""
        return np.searchsorted(self.users, np.arange(self.n_users + 1))

    def part(self, kept: BoolArray) -> Dataset:
        """The same users and items with a subset of the interactions; all users are scored."""
        everybody = np.arange(self.n_users)
        return replace(self, users=self.users[kept], items=self.items[kept], scored=everybody)


def load(
    tracks: Path, interactions: Path, score_users: Path | None = None, titles: Path | None = None
) -> Dataset:
    """Read the Parquet files; interactions with unknown tracks are dropped."""
    user_ids, track_ids = _columns(interactions, "user_id", "track_id")
    known = {str(track_id): row for row, track_id in enumerate(_columns(tracks, "track_id")[0])}
    described = np.array([track_id in known for track_id in track_ids])
    user_ids, track_ids = user_ids[described], track_ids[described]
    names, items = np.unique(track_ids, return_inverse=True)
    people, users = np.unique(user_ids, return_inverse=True)
    pairs = np.unique(users * len(names) + items)
    rows = np.array([known[name] for name in names])
    features = np.stack([c[rows].astype(np.float64) for c in _columns(tracks, *FEATURES)], axis=1)
    scored = people if score_users is None else _columns(score_users, "user_id")[0]
    genre_names = [fold(text) for text in _texts(tracks, "genre", rows)]
    credited = [artist_keys([text]) for text in _texts(tracks, "artists", rows)]
    albums = zip(_texts(tracks, "album", rows), credited, strict=True)
    dates = [text[:4] for text in _texts(tracks, "release_date", rows)]
    fame = _optional(tracks, "popularity", rows)
    return Dataset(
        n_users=len(people),
        users=pairs // len(names),
        items=pairs % len(names),
        mood_points=features[:, [FEATURES.index("valence"), FEATURES.index("energy")]],
        content=standardise(features),
        credited=credited,
        genre_names=genre_names,
        artists=shared(credited),
        albums=shared([(fold(a), min(keys, default=""))] if a else [] for a, keys in albums),
        genres=shared([name] if name else [] for name in genre_names),
        years=np.array([float(year) if year.isdigit() else np.nan for year in dates]),
        fame=np.array([np.nan if value is None else float(value) / 100.0 for value in fame]),
        scored=np.flatnonzero(np.isin(people, scored)),
        titles=_titles(titles, people) if titles else (),
    )


def _titles(path: Path, people: NDArray[np.generic]) -> list[str]:
    given = dict(
        zip(*(column.tolist() for column in _columns(path, "user_id", "title")), strict=True)
    )
    return [fold(given.get(person) or "") for person in people.tolist()]


def shared(keys: Iterable[Iterable[object]]) -> Any:
    """CSR (n_items, n_keys): one where an item has a key."""
    from scipy import sparse

    numbers: dict[object, int] = {}
    listed = [sorted({numbers.setdefault(key, len(numbers)) for key in its}) for its in keys]
    starts = np.cumsum([0, *map(len, listed)])
    columns = np.array([column for its in listed for column in its], dtype=np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, columns, starts), shape=(len(listed), len(numbers)))


def _optional(path: Path, name: str, rows: IntArray) -> Sequence[Any]:
    """An optional column; None where a value or the column is missing."""
    import pyarrow.parquet as pq

    if name not in pq.read_schema(path).names:
        return [None] * len(rows)
    values: list[Any] = pq.read_table(path, columns=[name])[name].take(rows).to_pylist()
    return values


def _texts(path: Path, name: str, rows: IntArray) -> list[str]:
    return [str(value or "") for value in _optional(path, name, rows)]


def _columns(path: Path, *names: str) -> list[NDArray[np.generic]]:
    # Imported here because only this command reads files.
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(names))
    return [
        np.array(column.to_pylist(), dtype=object)
        if str(column.type).endswith("string")
        else column.to_numpy(zero_copy_only=False)
        for column in table.itercolumns()
    ]
