"""Fitting the mood of photos: does it learn, does it know what it doesn't know?"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml import manifest as manifest_module
from ml.scene.gaussian_process import Blocks, Process
from ml.training.scene import train as command
from ml.training.scene.fitting import (
    FOLDS,
    cross_validated,
    fit,
    folds_of,
    stretch_of,
    stretched,
    weights_of,
)
from ml.types import Float64Array

THEMES = [f"theme {n % 12}" for n in range(72)]


def photos(seed: int = 7) -> tuple[Blocks, Float64Array]:
    """Features of which the first of each block tells a rating, and noisy ratings."""
    rng = np.random.default_rng(seed)
    features = {name: rng.normal(size=(len(THEMES), 4)) for name in ("one", "other")}
    told = np.column_stack([features["one"][:, 0], features["other"][:, 0]])
    ratings = told + 0.3 * rng.normal(size=told.shape)
    return features, (ratings - ratings.mean(axis=0)) / ratings.std(axis=0)


def test_left_out_photos_are_predicted_from_what_tells_their_ratings() -> None:
    features, ratings = photos()
    means, _ = cross_validated(features, ratings, folds_of(THEMES))
    for axis in (0, 1):
        assert np.corrcoef(means[:, axis], ratings[:, axis])[0, 1] > 0.7


def test_features_that_tell_nothing_predict_the_mean_with_all_of_the_variance() -> None:
    features, ratings = photos()
    shuffled = np.random.default_rng(3).permutation(ratings)
    means, variances = fit(features, shuffled).predict(features)
    assert np.abs(means).max() < 0.6
    assert variances.min() > 0.6


def test_unlike_photo_is_less_certain_than_a_known_one() -> None:
    features, ratings = photos()
    process = fit(features, ratings)
    _, known = process.predict(features)
    _, strange = process.predict({name: block + 20 for name, block in features.items()})
    assert strange.min() > known.max()


def test_photos_of_a_left_out_fold_change_nothing_in_their_prediction() -> None:
    features, ratings = photos()
    folds = folds_of(THEMES)
    other = ratings.copy()
    other[folds == 2] += 5
    one, _ = cross_validated(features, ratings, folds)
    two, _ = cross_validated(features, other, folds)
    assert one[folds == 2] == pytest.approx(two[folds == 2])
    assert one[folds != 2] != pytest.approx(two[folds != 2])


def test_folds_keep_themes_together_and_are_about_equal() -> None:
    themes = ["dog"] * 9 + ["cat"] * 4 + ["beach"] * 4 + [f"t{n}" for n in range(18)]
    folds = folds_of(themes)
    assert len({*folds[:9].tolist()}) == 1
    sizes = np.bincount(folds, minlength=FOLDS)
    assert sizes.max() == 9
    assert sizes[sizes < 9].max() - sizes.min() <= 1
    assert (folds_of(themes, 1) != folds).any()


def test_each_backbone_has_half_of_the_kernel() -> None:
    weights = weights_of(["ten", "eleven", "tiny", "tiny_spread", "tiny_third"])
    assert weights["ten"] == weights["eleven"] == 0.25
    assert weights["tiny"] == weights["tiny_third"] == pytest.approx(1 / 6)
    assert weights_of(["one", "other"]) == {"one": 0.5, "other": 0.5}


def test_variances_are_stretched_by_what_the_other_folds_miss() -> None:
    ratings, means = np.full((4, 2), 2.0), np.zeros((4, 2))
    means[:2] = 1.0  # the first fold misses by 1, the second by 2
    variances, folds = np.ones((4, 2)), np.array([0, 0, 1, 1])
    assert stretch_of(ratings, means, variances) == pytest.approx([2.5, 2.5])
    wide = stretched(ratings, means, variances, folds)
    assert wide[:, 0] == pytest.approx([4.0, 4.0, 1.0, 1.0])


@pytest.fixture
def oasis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny file with what is seen in its photos in the cache, and a folder for the models."""
    features, ratings = photos()
    columns: dict[str, Any] = {
        "name": [f"Photo {n}" for n in range(len(THEMES))],
        "theme": THEMES,
        "category": ["Object", "Person"] * (len(THEMES) // 2),
        "image": [b""] * len(THEMES),
        "valence_mean": 4 + ratings[:, 0],
        "arousal_mean": 3 + 0.5 * ratings[:, 1],
    }
    pq.write_table(pa.table(columns), tmp_path / "rated.parquet")
    np.savez(tmp_path / "oasis.npz", **features)  # type: ignore[arg-type]
    tags = {"emotion": None, "action": {"running": 1.0}, "intensity": {"high": 1.0}}
    (tmp_path / "oasis.json").write_text(json.dumps([tags] * len(THEMES)))
    models = tmp_path / "models"
    models.mkdir()
    (models / "manifest.json").write_text(json.dumps({"models": {}, "weights": {}}))
    monkeypatch.setattr(manifest_module, "FOLDER", models)
    return tmp_path


def test_command_publishes_the_model_with_the_figures_of_left_out_themes(
    oasis: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([f"--data={oasis / 'rated.parquet'}", f"--cache={oasis}"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == len(THEMES)
    assert figures["valence_r"] > 0.7
    assert 0.8 < figures["within_90"] <= 1
    assert len(figures["other_folds"]) == command.SEEDS - 1
    described = json.loads((oasis / "models" / "manifest.json").read_text())["models"]["scene"]
    assert described["left_out_themes"] == figures
    features, ratings = photos()
    means, _ = Process.load(oasis / "models" / described["file"]).predict(features)
    assert np.corrcoef(means[:, 0], ratings[:, 0])[0, 1] > 0.8
