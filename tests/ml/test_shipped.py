"""The shipped emotion network is the one that was measured (no data needed)."""

import numpy as np
import pytest

from ml.emotion.predict import LABELLED, VOTED, answer, conformal_set, predict, predict_both
from ml.evaluation import emotion_card
from ml.labels import EMOTIONS, UNCERTAIN
from ml.manifest import entry, model_file
from ml.networks import network
from ml.training.emotion.publish import smoke_faces

MEGABYTES = 16


def test_shipped_file_says_what_it_said_when_it_was_published() -> None:
    result = predict(smoke_faces())
    assert np.allclose(result, entry("emotion")["smoke"], atol=0.005)


def test_shipped_file_is_one_network_small_enough_for_a_laptop() -> None:
    assert model_file("emotion").stat().st_size <= MEGABYTES * 2**20
    model = network("emotion")
    assert (model.input.shape[1:], model.output.shape[1:]) == ((44, 44, 1), (2 * len(EMOTIONS),))


def test_card_carries_the_recorded_figures() -> None:
    text = (emotion_card.FOLDER / "CARD.md").read_text()
    recorded = next(m for m in entry("emotion")["measured"] if m["n"] == 7178)
    parts = [
        recorded,
        recorded["public_test"],
        recorded["private_test"],
        recorded["without_copies"],
    ]
    for part in parts:
        assert f"{part['n']:,} | **{part['accuracy']:.4f}**" in text
    assert f"ECE {recorded['ece']}" in text
    assert entry("emotion")["version"] in text
    for picture in ("curves", "reliability", "confusion"):
        assert (emotion_card.FOLDER / f"{picture}.png").is_file()


def test_mirrored_face_is_read_much_alike() -> None:
    faces = smoke_faces()
    one, other = predict(faces), predict(faces[:, :, ::-1])
    assert (one.argmax(axis=1) == other.argmax(axis=1)).all()
    assert np.abs(one - other).max() < 0.1


def test_voters_are_asked_apart_from_the_label() -> None:
    faces = smoke_faces()
    both = predict_both(faces)
    label, votes = both[:, LABELLED], both[:, VOTED]
    assert np.array_equal(label, predict(faces))
    assert np.allclose(votes.sum(axis=1), 1)
    assert not np.allclose(label, votes, atol=0.01)


def test_no_face_gives_no_rows() -> None:
    assert predict(np.zeros((0, 48, 48), dtype=np.uint8)).shape == (0, 7)


def shares(**given: float) -> dict[str, float]:
    rest = (1 - sum(given.values())) / (len(EMOTIONS) - len(given))
    return {name: given.get(name, rest) for name in EMOTIONS}


def test_even_probabilities_are_uncertain_and_may_be_anything() -> None:
    even = shares()
    assert answer(even) == UNCERTAIN
    assert set(conformal_set(even)) == set(EMOTIONS)


@pytest.mark.parametrize("name", ["happy", "fear"])
def test_sure_probabilities_are_named_alone(name: str) -> None:
    sure = shares(**{name: 0.97})
    assert answer(sure) == name
    assert conformal_set(sure) == (name,)


def test_card_has_the_student_reports_network_beside_ours_under_every_change() -> None:
    text = (emotion_card.FOLDER / "CARD.md").read_text()
    for row in emotion_card.figures("baseline_cnn")["robustness"]:
        assert f" | {row['accuracy']} | {row['cost']} |\n" in text
