"""The shipped models on the real data: the bars below which nothing may be shipped."""

import os
from pathlib import Path

import pytest

from ml.evaluate import MEASURES, read
from ml.manifest import manifest

DATA = os.environ.get("STORIFY_DATA")

pytestmark = [
    pytest.mark.accuracy,
    pytest.mark.skipif(not DATA, reason="STORIFY_DATA does not name the folder of the real data"),
]

BARS = [
    ("emotion", "vision/fer2013.parquet", "test", 7178, 0.62, 0.04),
    ("action", "vision/har.parquet", "test", 1260, 0.80, 0.05),
    ("caption", "text/goemotions.parquet", "test", 4968, 0.58, 0.04),
]


@pytest.mark.parametrize(("name", "file", "split", "n", "accuracy", "ece"), BARS)
def test_shipped_model_reaches_its_bar(
    name: str, file: str, split: str, n: int, accuracy: float, ece: float
) -> None:
    result = MEASURES[name](read(Path(DATA or "") / file, split))
    assert result["n"] == n
    assert result["accuracy"] >= accuracy
    assert result["ece"] <= ece
    recorded = next(
        figures
        for figures in manifest()["models"][name]["measured"]
        if (figures["data"], figures["split"]) == (Path(file).name, split)
    )
    assert result["accuracy"] == pytest.approx(recorded["accuracy"], abs=0.005)
