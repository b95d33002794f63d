"""Tracks and interactions as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.engine.content import FEATURES, FloatArray, standardise

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """Items are numbered 0 ... n_items - 1, users 0 ... n_users - 1."""

    users: IntArray
    """(n,): who, per interaction, ascending; nobody has an item twice."""
    items: IntArray
    """(n,): what."""
    mood_points: FloatArray
    """(n_items, 2): valence, energy."""
    content: FloatArray
    """(n_items, 10): content vectors."""
    scored: IntArray
    """Users whose lists are measured; all are trained on."""

    @property
    def n_users(self) -> int:
        return int(self.users[-1]) + 1

    @property
    def n_items(self) -> int:
        return len(self.mood_points)

    def bounds(self) -> IntArray:
        """(n_users + 1,): the interactions of user u are bounds[u] ... bounds[u + 1] - 1."""
        return np.searchsorted(self.users, np.arange(self.n_users + 1))


def load(tracks: Path, interactions: Path, score_users: Path | None = None) -> Dataset:
    """Read the Parquet files; interactions with tracks that `tracks` lacks are left out."""
    user_ids, track_ids = _columns(interactions, "user_id", "track_id")
    known, raw = _features(tracks)
    described = np.array([track_id in known for track_id in track_ids])
    user_ids, track_ids = user_ids[described], track_ids[described]
    names, items = np.unique(track_ids, return_inverse=True)
    people, users = np.unique(user_ids, return_inverse=True)
    pairs = np.unique(users * len(names) + items)
    features = raw[[known[name] for name in names]]
    wanted = people if score_users is None else _columns(score_users, "user_id")[0]
    points = features[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
    return Dataset(
        users=pairs // len(names),
        items=pairs % len(names),
        mood_points=points,
        content=standardise(features),
        scored=np.flatnonzero(np.isin(people, wanted)),
    )


def _features(path: Path) -> tuple[dict[str, int], FloatArray]:
    ids, *columns = _columns(path, "track_id", *FEATURES)
    rows = {str(track_id): row for row, track_id in enumerate(ids)}
    return rows, np.stack([column.astype(np.float64) for column in columns], axis=1)


def _columns(path: Path, *names: str) -> list[NDArray[np.generic]]:
    # Here and not above: nothing but this command reads files.
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(names))
    return [
        np.array(column.to_pylist(), dtype=object)
        if str(column.type).endswith("string")
        else column.to_numpy(zero_copy_only=False)
        for column in table.itercolumns()
    ]
