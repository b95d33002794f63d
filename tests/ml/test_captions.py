"""The shipped caption network: predictions for ordinary and odd captions."""

import math
import multiprocessing

import numpy as np
import pytest

from ml.caption.labels import FINE, GROUP, TO_SEVEN
from ml.caption.network import OUTPUTS, Outputs, run
from ml.caption.predict import LOG_SD, gaussians, moods_of, predict, read
from ml.evaluation import caption_card
from ml.evaluation.measure import measure_caption
from ml.evaluation.tables import read as read_table
from ml.labels import EMOTIONS
from ml.manifest import entry, model_file
from ml.mood import MUSIC_SD
from ml.training.caption.data import SENTIMENTS, WRITTEN
from ml.training.caption.labels import EIGHT, SIX, TO_EIGHT, TO_SIX, fine_shares

MEGABYTES = 32
GLAD, LOW = "Best day ever with my favourite people!", "I miss her so much, I cry every day"
SETS = ("test", "development", "learning")


@pytest.mark.accuracy
def test_captions_in_many_languages_lie_on_their_side_of_the_plane() -> None:
    table = read_table(WRITTEN / "test.csv", None)
    signs = measure_caption(table)["signs"]
    assert signs["n"] >= 200
    assert len(signs["languages"]) >= 8
    assert signs["right"] >= 0.9
    assert signs["misled"] <= 8
    assert signs["facts_undecided"] >= 0.9


def test_captions_of_the_test_set_were_not_developed_on() -> None:
    test, development, learning = (
        {text.casefold() for text in read_table(WRITTEN / f"{name}.csv", None)["text"].to_pylist()}
        for name in SETS
    )
    assert not test & (development | learning)
    assert not development & learning


@pytest.mark.parametrize("name", ["development", "learning"])
def test_every_written_caption_has_a_place_in_the_plane_and_an_emotion(name: str) -> None:
    rows = read_table(WRITTEN / f"{name}.csv", None).to_pylist()
    assert {row["label"] for row in rows} <= set(EMOTIONS)
    assert all(0 <= row[axis] <= 1 for row in rows for axis in ("valence", "energy"))
    assert len({row["language"] for row in rows}) >= 25


def test_batch_gives_what_single_captions_give() -> None:
    texts = [GLAD, LOW, "今日は本当に楽しかった!"]
    single = np.concatenate([predict([text]) for text in texts])
    assert np.allclose(predict(texts), single, atol=1e-9)


def test_reading_has_the_probabilities_and_a_mood_on_the_captions_side() -> None:
    glad, low = read([GLAD, LOW])
    (row,) = predict([GLAD])
    assert list(glad.probabilities) == list(EMOTIONS)
    assert list(glad.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-9)
    assert glad.mood.mean[0] > 0.6 > 0.4 > low.mood.mean[0]


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        ("I'm sad", "I'm not sad anymore"),
        ("I'm afraid", "no longer afraid"),
        ("llueve", "no llueve"),
    ],
)
def test_negation_counts(said: str, turned: str) -> None:
    plain, negated = read([said, turned])
    assert negated.mood.mean[0] > plain.mood.mean[0]


@pytest.mark.parametrize(
    "nothing", ["", " \n\t", "\x00\x07", "\u200f\u202e", "@anna @bob", "a@b.org", "🇮🇷", "."]
)
def test_empty_caption_decides_nothing(nothing: str) -> None:
    (reading,) = read([nothing])
    assert reading.mood.mean.tolist() == [0.5, 0.5]
    assert (np.linalg.eigvalsh(reading.mood.covariance) >= 0.5**2).all()
    assert set(reading.probabilities.values()) == {1 / 7}


@pytest.mark.parametrize(
    "caption",
    [
        "x" * 10_000,
        "😀" * 10_000,
        "שלום עולם 😀 hello مرحبا 你好",
        "\u202eright to left\u202c \u2066mixed\u2069 سلام",
        "\x00\x01\x02 a \ufffe\ud800 b",
        "zero\u200bwidth\u200d \ufeffcharacters",
        "</s><pad> <unk>",
        "#" * 500,
        "12:30",
    ],
)
def test_strange_caption_gets_a_clear_answer(caption: str) -> None:
    (reading,) = read([caption])
    assert math.isclose(sum(reading.probabilities.values()), 1, abs_tol=1e-6)
    assert (reading.mood.mean >= 0).all()
    assert (reading.mood.mean <= 1).all()
    assert (np.linalg.eigvalsh(reading.mood.covariance) > 0).all()


def test_emoji_alone_speak() -> None:
    party, grief = read(["🎉🥳😍", "😭💔"])
    assert party.mood.mean[0] > 0.6 > 0.45 > grief.mood.mean[0]


def test_facts_say_less_than_joy() -> None:
    facts, glad = read(["Platform 4, 7:15 train", GLAD])
    apart = [
        abs(reading.mood.mean[0] - 0.5) / reading.mood.covariance[0, 0] ** 0.5
        for reading in (facts, glad)
    ]
    assert apart[0] < 1 < apart[1]


def test_the_more_neutral_the_wider() -> None:
    logits = np.zeros((2, len(FINE)))
    logits[:, [FINE.index("neutral"), FINE.index("joy")]] = [[20, 0], [0, 20]]
    certain = np.tile([0, 0, -3, -3, 0], (2, 1))
    said = Outputs(logits, np.zeros((2, 3)), certain)
    neutral, joy = moods_of(said, ["Berlin", "hooray"])
    assert np.allclose(neutral.covariance - joy.covariance, np.diag(np.square(MUSIC_SD)), atol=1e-4)


def test_five_numbers_stand_for_a_gaussian() -> None:
    means, covariances = gaussians(
        np.array([[0.0, np.log(3), np.log(0.1), np.log(0.2), 0.0], [0, 0, -9, 9, 99]])
    )
    assert means[0].tolist() == pytest.approx([0.5, 0.75])
    assert covariances[0] == pytest.approx(np.diag([0.01, 0.04]))
    assert np.sqrt(np.diag(covariances[1])) == pytest.approx(np.exp(LOG_SD))
    assert (np.linalg.eigvalsh(covariances) > 0).all()


def test_every_fine_label_has_one_place_in_each_grouping() -> None:
    assert len(FINE) == len(GROUP) == 28
    assert set(GROUP.values()) == set(EMOTIONS)
    assert (TO_SEVEN.sum(axis=1) == 1).all()
    assert (TO_EIGHT.sum(axis=1) == 1).all()
    left_out = [name for name, row in zip(FINE, TO_SIX, strict=True) if not row.any()]
    assert left_out == ["disgust", "neutral"]
    love = TO_SIX[:, SIX.index("love")] == 1
    assert {name for name, is_love in zip(FINE, love, strict=True) if is_love} == {
        "love", "caring", "desire",
    }  # fmt: skip


def test_shares_of_several_labels_are_equal() -> None:
    shares = fine_shares(["joy", "anger"])
    assert shares[FINE.index("joy")] == shares[FINE.index("anger")] == 0.5
    assert (shares @ TO_EIGHT)[EIGHT.index("happy")] == 0.5
    with pytest.raises(KeyError):
        fine_shares(["boredom"])


def test_shipped_file_is_small_and_has_the_outputs_that_are_read() -> None:
    assert model_file("caption").stat().st_size <= MEGABYTES * 2**20
    said = run([GLAD])
    assert [each.shape for each in said] == [(1, size) for size in OUTPUTS.values()]
    assert said.sentiment[0].argmax() == SENTIMENTS.index("positive")
    again = Outputs.split(np.hstack(said))
    assert all(np.array_equal(one, other) for one, other in zip(said, again, strict=True))
    assert tuple(entry("caption")["thresholds"]) == EMOTIONS


def test_card_carries_the_recorded_figures() -> None:
    text = (caption_card.FOLDER / "CARD.md").read_text()
    assert entry("caption")["version"] in text
    for recorded in entry("caption")["measured"]:
        if "accuracy" in recorded:
            assert f"{recorded['n']:,} | {recorded['accuracy']}" in text
        else:
            assert str(recorded["ratings"]["valence_r"]) in text


def test_forked_child_reads_captions_with_the_parents_network() -> None:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    (there,) = read([GLAD])
    child = context.Process(target=_read_one, args=(results,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert results.get() == pytest.approx(there.mood.mean[0])


def _read_one(results: "multiprocessing.SimpleQueue[float]") -> None:
    results.put(float(read([GLAD])[0].mood.mean[0]))
