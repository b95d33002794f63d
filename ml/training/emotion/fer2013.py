"""FER-2013 and FER+: the splits, the rows without copies, the majority of the voters."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.labels import EMOTIONS
from ml.types import Int64Array

VOTES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""FER+ names of the EMOTIONS, in the same order; contempt and unknown have no counterpart."""


def parts(table: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Return masks of the rows of each split, if there are several, and of rows without a copy."""
    masks = {}
    if "split" in table.column_names:
        splits = np.array(table["split"].to_pylist())
        names = sorted(set(splits))
        masks = {name: splits == name for name in names if len(names) > 1}
    if "copy_in_train" in table.column_names:
        copied = table["copy_in_train"].to_numpy(zero_copy_only=False).astype(bool)
        masks["without_copies"] = ~copied
    return masks


def ferplus_majority(table: pa.Table) -> Int64Array:
    """Return the class that most FER+ voters chose, -1 where that is none of EMOTIONS or a tie."""
    names = (*VOTES, "contempt", "unknown", "nf")
    votes = np.stack([table[f"votes_{name}"].to_numpy() for name in names], axis=1)
    alone = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) == 1
    top = votes.argmax(axis=1)
    return np.where(alone & (top < len(EMOTIONS)), top, -1)
