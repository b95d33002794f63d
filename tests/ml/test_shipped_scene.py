"""The shipped scene model and fusion without any data: do their recorded figures reach the bars?"""

import csv
import json
from typing import Any

import pytest

from ml.evaluation.mood.cards import ablation_rows, story_rows
from ml.manifest import FOLDER, entry, model_file
from ml.mood.fusion import FILE
from ml.training.mood.stories import WRITTEN

MEGABYTES = 8

# What the recorded figures of left-out themes must reach, or nothing may be shipped.
VALENCE_R, ENERGY_R = 0.72, 0.70
INSIDE = (0.87, 0.93)


def figures() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text())["figures"])


@pytest.mark.parametrize("which", ["scene", "mood"])
def test_left_out_themes_of_rated_photos_reach_the_bars(which: str) -> None:
    recorded = (entry("scene") if which == "scene" else figures())["left_out_themes"]
    assert recorded["n"] == 588
    assert recorded["valence_r"] >= VALENCE_R
    assert recorded["energy_r"] >= ENERGY_R
    assert INSIDE[0] <= recorded["within_90"] <= INSIDE[1]


def test_file_is_small_enough_for_a_repository() -> None:
    assert model_file("scene").stat().st_size <= MEGABYTES * 2**20


def test_fusion_is_better_than_before_it_was_learned() -> None:
    loss = figures()["loss"]
    assert loss["after"] < loss["before"]


def test_captions_that_say_more_than_the_photo_are_followed() -> None:
    recorded = figures()["stories"]["test"]
    assert recorded["says more"]["valence_right"] >= 0.7
    assert recorded["valence_misled"] <= 0.15


def test_contradictions_are_marked_more_often_than_agreement() -> None:
    recorded = figures()["stories"]
    for stories in recorded.values():
        assert stories["contradicts"]["disagree"] > stories["agrees"]["disagree"]


def test_cards_carry_the_recorded_figures() -> None:
    card = (FOLDER / "scene" / "CARD.md").read_text()
    scene = entry("scene")["left_out_themes"]
    assert f"**{scene['valence_r']}**" in card
    assert f"**{scene['energy_r']}**" in card
    assert entry("scene")["version"] in card
    text = (FOLDER / "MOOD.md").read_text()
    written = json.loads(FILE.read_text())
    rows = [*story_rows(written["figures"]["stories"]), *ablation_rows(written.get("ablation", []))]
    for row in rows:
        assert "| " + " | ".join(map(str, row.values())) + " |" in text


def test_written_stories_are_split_by_theme_and_have_every_kind() -> None:
    with WRITTEN.open(newline="") as file:
        rows = list(csv.DictReader(file))
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["photo"].rsplit(" ", 1)[0].lower(), set()).add(row["split"])
        assert {row["valence_side"], row["energy_side"]} <= {"-1", "0", "1"}
    assert len(rows) >= 150
    assert all(len(each) == 1 for each in splits.values())
    assert {row["kind"] for row in rows} == {
        *("agrees", "says more", "contradicts", "empty", "sarcasm")
    }
