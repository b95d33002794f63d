"""Simulated stories: with perfect models the fusion is accurate and calibrated."""

import json
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation.mood.ablation import (
    SETS,
    STORIES,
    ablation,
    compose,
    main,
    measure,
)
from ml.evaluation.mood.holdout import Parts
from ml.intensity import intensity_of
from ml.labels import ACTIONS, EMOTIONS
from ml.mood import EMOTION_ANCHORS, EMOTION_SD, PHOTOS, Gaussian, mixture


def parts(sure: float = 1.0) -> Parts:
    """Predictions that give the true label this probability."""

    def said(names: tuple[str, ...], true: str) -> dict[str, float]:
        rest = (1 - sure) / (len(names) - 1)
        return {name: sure if name == true else rest for name in names}

    def words(true: str) -> Gaussian:
        return mixture(said(EMOTIONS, true), EMOTION_ANCHORS, EMOTION_SD)

    return Parts(
        emotion={name: [said(EMOTIONS, name)] for name in EMOTIONS},
        caption={name: [words(name).to_json()] for name in EMOTIONS},
        activity={
            name: [
                {
                    "action": said(ACTIONS, name),
                    "intensity": intensity_of(said(ACTIONS, name)),
                    "scene": PHOTOS.to_json(),
                }
            ]
            for name in ACTIONS
        },
    )


def test_every_modality_of_models_that_are_right_adds_something() -> None:
    stories = compose(parts(), 600, np.random.default_rng(7))
    loss = {name: measure(stories, use)["log_loss"] for name, use in SETS.items()}
    assert loss["all"] < min(loss["without emotion"], loss["without caption"]) - 0.05
    assert loss["all"] < min(loss["without activity"], loss["all, as they stand"])
    assert loss["nothing"] > max(loss[name] for name in ("emotion", "caption", "activity"))


def test_models_that_know_nothing_leave_the_mood_where_music_is() -> None:
    stories = compose(parts(1 / 7), 200, np.random.default_rng(7))
    nothing, emotion = (measure(stories, SETS[name]) for name in ("nothing", "emotion"))
    assert emotion == pytest.approx(nothing)


def test_drawn_moods_lie_in_the_plane() -> None:
    moods = np.array([s.mood for s in compose(parts(), 300, np.random.default_rng(7))])
    assert moods.min() >= 0
    assert moods.max() <= 1


def test_command_prints_every_set_from_what_is_cached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.evaluation.mood.ablation.STORIES", 20)
    (tmp_path / "parts-test.json").write_text(json.dumps(vars(parts())))
    paths = [f"--{name}=absent.parquet" for name in ("faces", "captions", "photos")]
    assert main([*paths, f"--cache={tmp_path}", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["modalities"] for row in result["rows"]] == list(SETS)
    assert main([*paths, f"--cache={tmp_path}"]) == 0
    assert "without caption" in capsys.readouterr().out


def test_rows_have_their_spread_between_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.evaluation.mood.ablation.STORIES", 20)
    rows = ablation(parts(0.5))
    assert STORIES > 20
    assert all(len(row["rmse_valence"]) == 2 for row in rows)
