"""The shipped caption network: predictions for ordinary and odd captions."""

import math
import multiprocessing
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from ml.caption.irony import with_irony
from ml.caption.labels import FINE, GROUP, TO_SEVEN
from ml.caption.pool import pooled
from ml.caption.predict import mood_of, predict, predict_fine, predict_logits, read
from ml.caption.words import UNKNOWN
from ml.evaluation import caption_card
from ml.evaluation.measure import measure_caption
from ml.evaluation.measure import read as read_table
from ml.labels import EMOTIONS
from ml.manifest import entry, model_file
from ml.mood import Gaussian
from ml.training.caption import irony, logistic
from ml.training.caption.anchors import fine_anchors
from ml.training.caption.data import Captions
from ml.training.caption.labels import EIGHT, SIX, TO_EIGHT, TO_SIX, fine_shares
from ml.training.caption.model import (
    NetworkConfig,
    WordDropout,
    as_ensemble,
    build_sentence,
    build_words,
    join,
)
from ml.training.caption.train import language_offsets, shift_language

MEGABYTES = 12
GLAD, LOW = "Best day ever with my favourite people!", "I miss her so much, I cry every day"


def written(name: str) -> Path:
    return irony.WRITTEN / f"{name}.csv"


@pytest.mark.accuracy
def test_captions_in_many_languages_lie_on_their_side_of_the_plane() -> None:
    table = read_table(written("test"), None)
    result = measure_caption(table)
    assert table.num_rows >= 200
    assert result["signs"]["n"] >= 200
    assert len(result["signs"]["languages"]) >= 8
    assert result["signs"]["right"] >= 0.88
    assert result["signs"]["facts_undecided"] >= 0.9
    assert result["signs"]["sarcasm_misled"] <= 0.2


def test_captions_of_the_test_set_were_not_developed_on() -> None:
    test, development, ironic, learning = (
        {text.casefold() for text in read_table(written(name), None)["text"].to_pylist()}
        for name in SETS
    )
    assert not test & (development | ironic | learning)
    assert not development & learning


SETS = ("test", "development", "irony", "learning")


def test_batch_gives_what_single_captions_give() -> None:
    texts = [GLAD, LOW, "今日は本当に楽しかった!"]
    single = np.concatenate([predict([text]) for text in texts])
    assert np.allclose(predict(texts), single, atol=1e-4)


def test_reading_has_the_probabilities_and_a_mood_on_the_captions_side() -> None:
    glad, low = read([GLAD, LOW])
    (row,) = predict([GLAD])
    assert list(glad.probabilities) == list(EMOTIONS)
    assert list(glad.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-4)
    assert glad.mood.mean[0] > 0.6 > 0.4 > low.mood.mean[0]


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
    assert facts.mood.covariance[0, 0] > 1.2 * glad.mood.covariance[0, 0]


def test_neutral_is_as_wide_as_music() -> None:
    neutral = mood_of(np.array([float(name == "neutral") for name in FINE]))
    joy = mood_of(np.array([float(name == "joy") for name in FINE]))
    assert neutral.covariance[0, 0] > 2 * joy.covariance[0, 0]


@given(st.floats(0.5, 1), st.floats(0, 1))
def test_doubt_widens_and_moves_to_the_middle(valence: float, doubt: float) -> None:
    mood = Gaussian(np.array([valence, 0.6]), np.eye(2) * 0.02)
    less = with_irony(mood, doubt)
    assert less.mean[0] <= valence
    assert less.mean[1] == 0.6
    assert less.covariance[0, 0] >= 0.02 - 1e-12
    assert less.covariance[1, 1] == 0.02


def test_unpleasant_captions_are_not_doubted() -> None:
    mood = Gaussian(np.array([0.3, 0.6]), np.eye(2) * 0.02)
    assert with_irony(mood, 0.9) is mood


def test_a_question_is_learned_from_separable_features() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(80, 5))
    ironic = (features[:, 0] > 0).astype(float)
    weights, bias = logistic.fit(features, ironic, prior=0.1, penalty=0.1)
    said = features @ weights + bias
    assert said[ironic == 1].mean() > said[ironic == 0].mean() + 2
    assert abs(weights[0]) > 3 * np.abs(weights[1:]).max()


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


def test_anchors_follow_the_norms_and_stay_in_the_plane() -> None:
    norms = {name: (k / 27, 1 - k / 27) for k, name in enumerate(FINE)}
    anchors = fine_anchors(norms)
    assert tuple(anchors) == FINE
    assert all(0 <= value <= 1 for place in anchors.values() for value in place)
    with pytest.raises(KeyError):
        fine_anchors({"joy": (1.0, 1.0)})


def test_joined_network_has_both_halves_and_irony_and_survives_saving(tmp_path: Path) -> None:
    config = NetworkConfig(hidden=4)
    model = join(build_sentence(6, 3, config), build_words(10, 3, config))
    model.set_weights([np.random.default_rng(0).random(w.shape) for w in model.get_weights()])
    model.get_layer("scale").finalize_state()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    inputs = [np.ones((2, 6), np.float32), np.array([[1, 2, 0], [0, 0, 0]], np.int32)]
    said = model.predict(inputs, verbose=0)
    assert said.shape == (2, 8)
    assert np.allclose(said, again.predict(inputs, verbose=0), atol=1e-5)


def test_embeddings_abroad_are_moved_by_what_lies_between_the_languages() -> None:
    sentence = np.array([[0, 0], [0, 2], [1, 1], [5, 5]], dtype=np.float32)
    own = Captions(sentence, [], np.zeros((4, 0), np.float32), np.zeros((4, 8), np.float32))
    apart = language_offsets(own, ["en", "en", "de", "fr"], least=1)
    assert apart.tolist() == [[1, 0], [5, 4]]
    english = np.zeros((4000, 2), dtype=np.float32)
    moved = shift_language(english, apart, np.random.default_rng(0))
    places, counts = np.unique(moved, axis=0, return_counts=True)
    assert places.tolist() == [[0, 0], [1, 0], [5, 4]]
    assert np.allclose(counts / len(moved), [1 / 2, 1 / 4, 1 / 4], atol=0.03)


def test_ensemble_gives_the_mean_of_its_members() -> None:
    config, rng = NetworkConfig(hidden=4), np.random.default_rng(0)
    members = [build_sentence(6, 3, config) for _ in range(2)]
    for member in members:
        member.get_layer("scale").adapt(np.arange(12, dtype=np.float32).reshape(2, 6))
        for name in ("hidden0", "said0"):
            layer = member.get_layer(name)
            layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    seen = rng.normal(size=(5, 6)).astype(np.float32)
    one, other = (member.predict(seen, verbose=0) for member in members)
    assert not np.allclose(one, other, atol=0.1)
    both = as_ensemble(members, config).predict(seen, verbose=0)
    assert np.allclose(both, (one + other) / 2, atol=1e-5)


def test_what_words_say_does_not_depend_on_the_filling() -> None:
    model = build_words(10, 3, NetworkConfig(hidden=4))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    alone = model.predict(np.array([[2, 3]], np.int32), verbose=0)
    filled = model.predict(np.array([[2, 3, 0, 0], [4, 5, 6, 7]], np.int32), verbose=0)
    turned = model.predict(np.array([[3, 2]], np.int32), verbose=0)
    assert np.allclose(alone[0], filled[0], atol=1e-5)
    assert not np.allclose(alone, turned, atol=1e-3)


def test_words_become_unknown_at_random_but_keep_their_place() -> None:
    words = [np.full(n, 5, np.int32) for n in (3, 4, 9, 8)]
    rows = WordDropout(
        words, np.zeros((4, 2), "f4"), np.ones(4, "f4"), NetworkConfig(word_dropout=1.0, batch=2)
    )
    ids = np.concatenate([rows[k][0].ravel() for k in range(len(rows))])
    assert len(rows) == 2
    assert {*ids.tolist()} == {0, UNKNOWN, 5}


def test_pool_weighs_halves_and_sums_to_one() -> None:
    sentence, words = np.array([[4.0, 0.0]]), np.array([[0.0, 2.0]])
    assert pooled(sentence, words, (1, 0, 0))[0, 0] > 0.9
    assert pooled(sentence, words, (0, 1, 0))[0, 1] > 0.8
    assert np.allclose(pooled(sentence, words, (0.5, 1, 0)), 0.5)


def test_words_count_for_nothing_where_they_are_not_trusted() -> None:
    sentence, words = np.array([[4.0, 0.0]]), np.array([[0.0, 9.0]])
    untrusted = pooled(sentence, words, (0.3, 0.7, 1.0), 0.0)
    assert np.allclose(untrusted, pooled(sentence, 0 * words, (1, 0, 0)))
    assert pooled(sentence, words, (0.3, 0.7, 1.0), 1.0)[0, 1] > 0.9


def test_words_are_trusted_in_a_comment_and_not_in_another_language() -> None:
    comment, caption = predict_logits(
        ["I feel so irritated that he never answers me", "海辺で家族と一緒に"]
    )
    assert expit(comment[-1]) > 0.5
    assert expit(caption[-1]) < 0.1


def test_shipped_files_are_small_and_say_what_the_manifest_says() -> None:
    files = [model_file("caption"), model_file("caption", "words")]
    assert sum(file.stat().st_size for file in files) <= MEGABYTES * 2**20
    assert predict_fine([GLAD]).shape == (1, len(FINE))
    assert set(entry("caption")["anchors"]) == set(FINE)
    assert tuple(entry("caption")["thresholds"]) == EMOTIONS


def test_card_carries_the_recorded_figures() -> None:
    text = (caption_card.FOLDER / "CARD.md").read_text()
    assert entry("caption")["version"] in text
    for recorded in entry("caption")["measured"]:
        assert f"{recorded['n']:,} | {recorded['accuracy']}" in text


def test_forked_child_reads_captions_of_its_own() -> None:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    predict(["the parent has its encoder already"])
    child = context.Process(target=_read_one, args=(results,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert abs(results.get() - 1) < 1e-6


def _read_one(results: "multiprocessing.SimpleQueue[float]") -> None:
    from ml.caption.encoder import embed

    results.put(float(np.linalg.norm(embed(["hello"])[0]) / 2**0.5))  # two unit vectors
