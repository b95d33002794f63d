"""Export choices and train the collaborative factors on this machine."""

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

# With fewer choices, factors add nothing to what co-saves already capture.
MIN_CHOICES = 100


def export_choices(*, path: Path) -> int:
    """Write the training choices to a Parquet file and return their number.

    The holdout isn't included. Raises NothingToLearnError if there are too few choices.
    """
    written = write_choices(path, selectors.training_choices())
    if written < MIN_CHOICES:
        raise NothingToLearnError(
            f"{written} choices are too few to learn from; at least {MIN_CHOICES} are needed."
        )
    return written


def train_factors() -> FactorVersion:
    """Train on this machine and serve the result unless it's worse than the serving version.

    Raises NothingToLearnError if there are too few choices.
    """
    with tempfile.TemporaryDirectory(prefix="storify-factors-") as folder:
        choices, factors = Path(folder) / "choices.parquet", Path(folder) / "factors.parquet"
        export_choices(path=choices)
        train_file(choices=choices, factors=factors)
        return load_factors(path=factors)


def train_file(*, choices: Path, factors: Path) -> None:
    """Train from one file into another, without the database."""
    matrix, songs = read_choices(choices)
    trained = als.train(matrix)
    counts = np.bincount(matrix.indices, minlength=len(songs))
    write_factors(factors, SongFactors(songs, trained.vectors, counts, trained.settings, "als"))
