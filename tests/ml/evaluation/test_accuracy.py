"""Accuracy of the shipped models on real data: minimums for a release."""

import os
from pathlib import Path

import pytest

from ml.evaluation.measure import MEASURES
from ml.evaluation.tables import read
from ml.manifest import manifest

DATA = os.environ.get("STORIFY_DATA")

pytestmark = [
    pytest.mark.accuracy,
    pytest.mark.skipif(not DATA, reason="STORIFY_DATA does not name the folder of the real data"),
]

# Of the slow models only the first rows, to keep the suite short; ml.evaluate measures them all.
# The fewer the rows, the larger the ECE by chance alone (of actions .056 on these 500, .024 on all
# 1,260; of comments .062 on the first 1,500, .034 on these 3,000, .033 on all).
BARS = [
    ("emotion", "vision/fer2013.parquet", None, 0.71, 0.02),
    ("action", "vision/har.parquet", 500, 0.83, 0.08),
    ("caption", "text/goemotions.parquet", 3000, 0.64, 0.05),
    ("caption", "text/emotion6.parquet", 700, 0.89, 0.05),
]


def test_shipped_scene_orders_photos_that_it_knows_as_people_do() -> None:
    """It has learned from these, so that the figures are too good; the card has those of others."""
    table = read(Path(DATA or "") / "vision/oasis.parquet", None)
    result = MEASURES["mood"](table.take(list(range(0, len(table), 12))))
    assert result["valence_r"] >= 0.85
    assert result["energy_r"] >= 0.85


@pytest.mark.parametrize(("name", "file", "rows", "accuracy", "ece"), BARS)
def test_shipped_model_reaches_its_bar_and_its_recorded_figure(
    name: str, file: str, rows: int | None, accuracy: float, ece: float
) -> None:
    result = MEASURES[name](read(Path(DATA or "") / file, "test").slice(0, rows))
    assert result["accuracy"] >= accuracy
    assert result["ece"] <= ece
    recorded = next(
        figures
        for figures in manifest()["models"][name]["measured"]
        if (figures["data"], figures["split"]) == (Path(file).name, "test")
    )
    assert rows or result["n"] == recorded["n"]
    assert result["accuracy"] == pytest.approx(recorded["accuracy"], abs=0.04 if rows else 0.001)
