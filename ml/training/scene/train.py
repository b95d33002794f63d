"""Learn the mood of whole photos from OASIS, measure it on left-out themes and publish it.

python -m ml.training.scene.train --data oasis.parquet [--cache FOLDER]

The noise is chosen by the likelihood of the ratings learned from, so the figures of a left-out fold
depend on no choice made with its photos. It takes minutes for the features of the photos, then
seconds.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml.evaluation.mood.figures import by_kind, correlations, rating_figures, ratings_of
from ml.manifest import publish
from ml.scene.gaussian_process import Process
from ml.scene.predict import moods_of
from ml.training.scene.data import read
from ml.training.scene.fitting import cross_validated, fit, folds_of, stretch_of, stretched

VERSION = "1.0.0"
SEEDS = 3
"""Divisions of the themes into folds; the figures of all but the first only tell the spread."""


def train(data: Path, cache: Path | None) -> dict[str, Any]:
    """Publish the process learned from all photos; return the figures of left-out themes."""
    table, seen = read(data, cache)
    ratings, themes = ratings_of(table), table["theme"].to_pylist()
    means, variances = cross_validated(seen.features, ratings, folds_of(themes))
    moods = moods_of(means, stretched(ratings, means, variances, folds_of(themes)))
    figures = rating_figures(moods, ratings, themes)
    for seed in range(1, SEEDS):
        again, _ = cross_validated(seen.features, ratings, folds_of(themes, seed))
        figures.setdefault("other_folds", []).append(correlations(again, ratings))
    figures["kinds"] = by_kind(moods, ratings, themes, table["category"].to_pylist())
    stretch = stretch_of(ratings, means, variances)
    process = fit(seen.features, ratings)
    described = {
        "trained_on": len(ratings),
        "stretch": [round(float(each), 3) for each in stretch],
        "left_out_themes": figures,
    }
    _publish(replace(process, variance=process.variance * stretch), described)
    return figures


def _publish(process: Process, figures: dict[str, Any]) -> None:
    described = {
        "version": VERSION,
        "data": "OASIS, two thirds of its themes; features of DINOv2 ViT-S/14 and TinyViT-5M",
        **figures,
    }
    with tempfile.TemporaryDirectory() as folder:
        process.save(file := Path(folder) / "scene.npz")
        publish("scene", file, described)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder for what the models see in the photos")
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(train(given.data, given.cache)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
