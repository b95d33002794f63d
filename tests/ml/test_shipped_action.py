"""The shipped action network is the one that was measured (no data needed)."""

from typing import Any

import numpy as np

from ml.action.predict import are_named, score
from ml.evaluation import action_card
from ml.labels import ACTIONS
from ml.manifest import entry, model_file
from ml.training.action.no_action import DRAWINGS, HOLDOUT, smoke

MEGABYTES = 32

BARS = {"accuracy": 0.85, "intensity_accuracy": 0.93}
"""What the recorded figures on HAR's `test` must reach, or nothing may be shipped."""
FALSE_TAGS = 0.2
ECE = 0.03


def figures() -> dict[str, Any]:
    return dict(next(m for m in entry("action")["measured"] if m["split"] == "test"))


def test_shipped_network_says_what_it_said_when_it_was_published() -> None:
    scores = score(smoke())
    assert scores.probabilities.shape == (3, len(ACTIONS))
    assert np.allclose(scores.probabilities, entry("action")["smoke"], atol=0.005)


def test_shipped_file_is_small_enough_for_a_laptop() -> None:
    assert model_file("action").stat().st_size <= MEGABYTES * 2**20


def test_drawings_of_no_action_get_no_name() -> None:
    scores = score([DRAWINGS[kind](np.random.default_rng(99)) for kind in HOLDOUT])
    assert not are_named(scores.probabilities, scores.familiarity).any()


def test_recorded_figures_are_above_the_bars() -> None:
    recorded = figures()
    assert recorded["n"] == 1260
    assert all(recorded[name] >= bar for name, bar in BARS.items())
    assert recorded["none"]["false_tags_at_95"] <= FALSE_TAGS
    assert recorded["ece"] <= ECE


def test_card_carries_the_recorded_figures() -> None:
    text = (action_card.FOLDER / "CARD.md").read_text()
    recorded = figures()
    assert f"| Storify | {recorded['n']} | {recorded['accuracy']} |" in text
    for figure in (
        recorded["ece"],
        recorded["intensity_accuracy"],
        recorded["none"]["false_tags"],
        recorded["none"]["false_tags_at_95"],
        recorded["none"]["true_tags"],
    ):
        assert str(figure) in text
    assert entry("action")["version"] in text
    for picture in ("curves", "reliability", "confusion"):
        assert (action_card.FOLDER / f"{picture}.png").is_file()
