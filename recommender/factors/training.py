"""The collaborative training: choices out, factors in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from recommender.engine import als
from recommender.errors import NothingToLearnError
from recommender.factors import selectors
from recommender.factors.files import SongFactors, read_choices, write_choices, write_factors
from recommender.factors.versions import load_factors
from recommender.models import FactorVersion

# With less there is nothing that co-saves do not know already.
FEWEST_CHOICES = 100


def export_choices(*, path: Path) -> int:
    """Write everybody's choices for training, wherever that happens; returns how many.

    People who are kept for measuring are not among them. NothingToLearnError: too few.
    """
    written = write_choices(path, selectors.choices_to_learn_from())
    if written < FEWEST_CHOICES:
        raise NothingToLearnError(
            f"{written} choices are too few to learn from; {FEWEST_CHOICES} are needed."
        )
    return written


def train_factors() -> FactorVersion:
    """Train on this machine and let the result serve, unless it is worse.

    NothingToLearnError: there are too few choices yet.
    """
    with tempfile.TemporaryDirectory(prefix="storify-factors-") as folder:
        choices, factors = Path(folder) / "choices.parquet", Path(folder) / "factors.parquet"
        export_choices(path=choices)
        train_file(choices=choices, factors=factors)
        return load_factors(path=factors)


def train_file(*, choices: Path, factors: Path) -> None:
    """From one file to the other, without the database."""
    matrix, songs = read_choices(choices)
    trained = als.train(matrix)
    counts = np.bincount(matrix.indices, minlength=len(songs))
    write_factors(factors, SongFactors(songs, trained.vectors, counts, trained.settings, "als"))
