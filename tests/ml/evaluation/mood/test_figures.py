"""Figures of moods against ratings and sides, and the command that measures them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ml.evaluation.measure import main
from ml.evaluation.mood.figures import by_kind, rating_figures, ratings_of, side_figures
from ml.mood import MUSIC_MEAN, PHOTOS, Gaussian
from tests.ml.evaluation.test_evaluate import encoded, write
from tests.ml.test_faces import drawing


def moods(*places: tuple[float, float], sd: float = 0.1) -> list[Gaussian]:
    return [Gaussian(np.array(place), np.eye(2) * sd**2) for place in places]


def around(*off: tuple[float, float], sd: float = 0.1) -> list[Gaussian]:
    return moods(*[(MUSIC_MEAN[0] + v, MUSIC_MEAN[1] + e) for v, e in off], sd=sd)


def test_moods_that_rank_photos_as_people_do_correlate_whatever_the_scale() -> None:
    ratings = np.array([[-1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.5, -2.0]])
    said = [Gaussian(0.5 + 0.1 * rating, np.eye(2)) for rating in ratings]
    figures = rating_figures(said, ratings)
    assert (figures["n"], figures["valence_r"], figures["energy_r"]) == (4, 1.0, 1.0)
    assert figures["valence_interval"][1] == pytest.approx(1.0)


def test_equal_ratings_correlate_with_nothing() -> None:
    table = pa.table({"valence_mean": [2.0] * 3, "arousal_mean": [2.0, 3.0, 4.0]})
    figures = rating_figures(around((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)), ratings_of(table))
    assert (figures["valence_r"], figures["energy_r"]) == (0.0, 1.0)
    assert figures["valence_interval"] == [0.0, 0.0]


def test_nine_tenths_are_inside_where_the_ellipse_is_as_wide_as_the_errors() -> None:
    rng = np.random.default_rng(7)
    ratings = rng.normal(size=(4000, 2))
    said = [PHOTOS] * len(ratings)
    narrow = [Gaussian(PHOTOS.mean, PHOTOS.covariance / 4)] * len(ratings)
    figures = rating_figures(said + narrow, np.tile(ratings, (2, 1)), ["a", "b"] * 4000)
    assert figures["within_90"] == pytest.approx((0.9 + 1 - 10**-0.25) / 2, abs=0.01)


def test_sides_are_right_wrong_or_left_out() -> None:
    said = around((0.2, -0.2), (-0.2, 0.2), (0.05, 0.2), (-0.05, -0.1))
    sides = np.array([[1, -1], [1, -1], [-1, 0], [0, 0]])
    figures = side_figures(said, sides)
    assert (figures["valence_n"], figures["energy_n"]) == (3, 2)
    assert figures["valence_right"] == pytest.approx(1 / 3, abs=1e-3)
    assert figures["energy_right"] == 0.5
    # Only the second is wrong by more than its standard deviation of 0.1.
    assert figures["valence_misled"] == pytest.approx(1 / 3, abs=1e-3)


def test_sides_that_nobody_knows_give_no_share() -> None:
    figures = side_figures(around((0.1, 0.1)), np.zeros((1, 2), dtype=int))
    assert (figures["valence_right"], figures["valence_misled"]) == (None, None)


def test_kinds_of_photos_have_their_own_error() -> None:
    sd = np.sqrt(PHOTOS.covariance.diagonal())
    ratings = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 1.0], [0.0, 1.0]])
    said = [
        Gaussian(PHOTOS.mean + sd * (rating + np.array([0.5, 0.0])), np.eye(2))
        for rating in ratings
    ]
    kinds = by_kind(said, ratings, ["dog", "cat", "bird", "beach"], ["Animal"] * 3 + ["Scenery"])
    assert set(kinds) == {"animals", "category Animal"}
    assert (kinds["animals"]["n"], kinds["animals"]["error"]) == (3, [0.5, 0.0])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["mood", *arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_command_measures_photos_against_ratings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "image": [encoded(drawing(90, 60 + 30 * n)) for n in range(3)],
        "valence_mean": [2.0, 4.0, 6.5],
        "arousal_mean": [20.0, 10.0, 70.0],
    }
    result = run(capsys, "--data", write(tmp_path, columns))
    assert result["n"] == 3
    assert -1 <= result["valence_r"] <= 1
    assert -1 <= result["energy_r"] <= 1
    assert 0 <= result["within_90"] <= 1
    assert result["ms_per_item"] > 0


def test_command_measures_stories_against_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "image": [encoded(drawing(90, 60))] * 3,
        "caption": ["So happy today, best day ever!", "I can't stop crying, I miss you", None],
        "valence_side": [1, -1, 0],
        "energy_side": [1, 0, -1],
        "split": ["test"] * 2 + ["val"],
    }
    result = run(capsys, "--data", write(tmp_path, columns), "--split", "test")
    assert (result["n"], result["valence_n"], result["energy_n"]) == (2, 2, 1)
    assert result["valence_right"] == 1.0
    assert "valence_r" not in result


def test_file_without_ratings_or_sides_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, {"image": [encoded(drawing(90, 60))]})
    assert main(["mood", "--data", file]) == 2
    assert "valence_side, energy_side" in capsys.readouterr().err
