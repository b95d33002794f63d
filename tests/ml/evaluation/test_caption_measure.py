"""Caption metrics on invented probabilities."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ml.caption.labels import FINE
from ml.evaluation import caption_measure
from ml.evaluation.metrics import multilabel_f1
from ml.mood import Gaussian


def sure(*names: str) -> np.ndarray:
    return np.array([[0.9 if fine == name else 0.1 / 27 for fine in FINE] for name in names])


def test_six_labels_of_emotion_are_measured_as_they_are_and_in_seven() -> None:
    fine = sure("love", "caring", "neutral", "sadness")
    result = caption_measure.measure_labels(fine, [["love"], ["joy"], ["joy"], ["sadness"]])
    assert result["classes"] == ["anger", "fear", "joy", "love", "sadness", "surprise"]
    assert result["accuracy"] == 0.75  # caring is love; neutral is left out, joy leads the rest
    assert result["seven"]["accuracy"] == 0.75  # caring is happy; neutral is not


def test_goemotions_are_measured_in_seven_and_all_their_labels_too() -> None:
    fine = sure("joy", "anger", "neutral")
    result = caption_measure.measure_labels(
        fine, [["joy", "love"], ["anger", "sadness"], ["neutral"]]
    )
    assert (result["n"], result["accuracy"], result["several_emotions_left_out"]) == (2, 1.0, 1)
    assert result["multilabel"]["n"] == 3
    assert result["multilabel"]["f1"]["happy"] == 1
    assert result["multilabel"]["f1"]["sad"] == 0


def test_texts_without_a_label_do_not_count() -> None:
    result = caption_measure.measure_labels(sure("joy", "neutral"), [["happy"], []])
    assert result["n"] == 1


def test_unknown_labels_are_found() -> None:
    assert caption_measure.unknown_labels([["joy", "boredom"], ["happy"]]) == ["boredom"]


def mood(valence: float, sd: float = 0.15) -> Gaussian:
    return Gaussian(np.array([valence, 0.5]), np.eye(2) * sd**2)


@pytest.fixture
def table() -> pa.Table:
    columns = {
        "valence": [1, -1, -1, 0, 0, -1, -1],
        "language": ["en", "en", "de", "en", "de", "en", "de"],
        "kind": ["plain", "plain", "short", "fact", "fact", "sarcasm", "sarcasm"],
    }
    return pa.table(columns)


def test_sides_are_counted_by_language_and_sarcasm_apart(table: pa.Table) -> None:
    moods = [mood(v) for v in (0.9, 0.45, 0.6, 0.55, 0.8, 0.55, 0.9)]
    result = caption_measure.measure_signs(moods, table)
    assert (result["n"], result["right"]) == (3, 0.6667)
    assert result["right_and_decided"] == 0.3333
    assert result["misled"] == 0
    assert result["languages"] == {
        "de": {"n": 1, "right": 0.0, "misled": 0},
        "en": {"n": 2, "right": 1.0, "misled": 0},
    }
    assert result["kinds"]["short"] == {"n": 1, "right": 0.0, "misled": 0}
    assert result["facts_undecided"] == 0.5
    assert result["sarcasm"] == {"n": 2, "right": 0.0}
    assert result["sarcasm_misled"] == 0.5


def test_wrong_by_more_than_its_sd_is_misled() -> None:
    table = pa.table({"valence": [1, 1, -1], "kind": ["slang", "slang", "plain"]})
    result = caption_measure.measure_signs([mood(0.3), mood(0.4), mood(0.9, 0.5)], table)
    assert (result["n"], result["right"], result["misled"]) == (3, 0.0, 1)
    assert result["kinds"]["slang"]["misled"] == 1
    assert "languages" not in result


def test_ratings_have_a_side_unless_they_lie_in_the_middle() -> None:
    table = pa.table({"valence": [0.8, 0.2, 0.54, 0.46]})
    assert caption_measure.sides_of(table).tolist() == [1, -1, 0, 0]
    assert caption_measure.sides_of(pa.table({"valence": [1, -1, 0]})).tolist() == [1, -1, 0]


def test_moods_are_correlated_with_ratings_of_either_axis() -> None:
    moods = [mood(v) for v in (0.2, 0.4, 0.5, 0.6, 0.9)]
    for each, energy in zip(moods, (0.1, 0.9, 0.2, 0.8, 0.3), strict=True):
        each.mean[1] = energy
    table = pa.table({"valence": [1.4, 1.8, 2.0, 2.2, 2.8], "arousal": [4.0, 1, 4, 1, 3.5]})
    result = caption_measure.measure_ratings(moods, table)
    assert result["valence_r"] == 1
    assert result["arousal_r"] < -0.9
    low, high = result["arousal_r_interval"]
    assert low < result["arousal_r"] < high


def test_equal_ratings_and_few_rows_tell_nothing() -> None:
    table = pa.table({"valence": [0.9, 0.1], "energy": [0.4, 0.4]})
    result = caption_measure.measure_ratings([mood(0.9), mood(0.1)], table)
    assert (result["valence_r"], result["valence_r_interval"]) == (1, [-1, 1])
    assert (result["energy_r"], result["energy_r_interval"]) == (0, [-1, 1])


@pytest.mark.parametrize(
    "labels", [{"label": ["positive", None]}, {"labels": [["positive"], None]}]
)
def test_sentiments_count_where_there_is_one(labels: dict[str, list[Any]]) -> None:
    shares = np.array([[0.1, 0.1, 0.8], [0.6, 0.2, 0.2]])
    table = pa.table({**labels, "language": ["fr", "fr"]})
    result = caption_measure.measure_sentiment(shares, table)
    assert (result["n"], result["accuracy"], result["languages"]["fr"]["n"]) == (1, 1.0, 1)


def test_sentiments_are_measured_in_each_language() -> None:
    table = pa.table(
        {"label": ["negative", "positive", "positive"], "language": ["fr", "fr", "hindi"]}
    )
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2]])
    result = caption_measure.measure_sentiment(shares, table)
    assert result["accuracy"] == 0.6667
    assert result["languages"]["fr"] == {"n": 2, "accuracy": 1.0, "macro_f1": 1.0}
    assert result["mean_macro_f1"] == 0.5


def test_neutral_alone_is_an_emotion_and_not_a_sentiment() -> None:
    assert caption_measure.are_sentiments([["negative"], ["neutral"]])
    assert not caption_measure.are_sentiments([["neutral"]])
    assert not caption_measure.are_sentiments([["neutral"], ["sad"]])
    assert not caption_measure.are_sentiments([[], []])


def test_f1_of_several_labels_counts_each_class() -> None:
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    present = np.array([[True, False], [True, True], [False, True]])
    f1 = multilabel_f1(shares, present, np.array([0.5, 0.5]))
    assert f1 == pytest.approx([1.0, 2 / 3])
