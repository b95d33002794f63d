"""Scenes with a pasted face: its place, reproducibility and counting."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml.emotion.photo import View
from ml.evaluation.face_scenes import CONDITIONS, CROPS, SCENE, cut, measure, paste, place
from ml.faces.detection import Detection
from ml.labels import EMOTIONS
from ml.types import Float64Array

WHITE = np.full((48, 48), 255, np.uint8)
EYES = ((0.2, 0.2), (0.3, 0.2))


def pixels(**condition: float) -> NDArray[np.uint8]:
    given = {"side": 96, "angle": 0.0, "light": 1.0, "seed": 1} | condition
    scene = paste(WHITE, **given)  # type: ignore[arg-type]
    assert (scene.mode, scene.size) == ("RGB", SCENE)
    return np.asarray(scene)


def test_scene_is_the_same_for_the_same_seed_only() -> None:
    assert (pixels() == pixels()).all()
    assert (pixels() != pixels(seed=2)).any()


@pytest.mark.parametrize("angle", [0, 45, 180])
@pytest.mark.parametrize("side", [24, 200])
def test_face_lies_where_place_says(side: int, angle: float) -> None:
    x, y = place(side, 1)
    reach = side // 4
    around = np.s_[round(y) - reach : round(y) + reach, round(x) - reach : round(x) + reach]
    assert pixels(side=side, angle=angle)[around].mean() > 245


def test_whole_frame_of_the_face_is_in_the_scene_and_fades_only_beyond_it() -> None:
    x, y = (round(edge) - 48 for edge in place(96, 1))
    scene = pixels().astype(int)
    assert scene[y : y + 96, x : x + 96].mean(axis=-1).min() > 240
    left = scene[y + 48, x - 24 : x].mean(axis=-1)
    assert left[0] < left[-1] - 20


def test_light_darkens_the_scene() -> None:
    assert pixels(light=0.1).mean() == pytest.approx(pixels().mean() * 0.1, rel=0.1)


def test_found_missed_and_false_faces_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = iter(range(2 * len(CONDITIONS)))

    def detect(_scene: Image.Image) -> tuple[Detection, ...]:
        """Find the face in every first of two scenes, and a wrong one in the second."""
        condition, seed = divmod(next(scenes), 2)
        side = CONDITIONS[condition][0]
        x, y = place(side, 0)
        box = ((x - side / 2) / 640, (y - side / 2) / 480, side / 640, side / 480)
        return (Detection(box if seed == 0 else (0.9, 0.9, 0.01, 0.01), EYES, 0.9),)

    def happy(faces: NDArray[np.uint8]) -> Float64Array:
        return np.eye(7)[[EMOTIONS.index("happy")] * len(faces)]

    def view(crop: Image.Image) -> View:
        return View(np.zeros((1, 48, 48), np.uint8), np.ones(1), max(crop.size) > 100)

    monkeypatch.setattr("ml.evaluation.face_scenes.detect", detect)
    monkeypatch.setattr("ml.evaluation.face_scenes.view", view)
    monkeypatch.setattr("ml.emotion.predict.predict", happy)
    labels = np.array([EMOTIONS.index("happy"), EMOTIONS.index("sad")])
    rows = measure(np.stack([WHITE, WHITE]), labels, EMOTIONS)
    assert len({row["condition"] for row in rows}) == len(CONDITIONS) + len(CROPS)
    for row in rows[: len(CONDITIONS)]:
        assert (row["n"], row["found"], row["false"]) == (2, 0.5, 0.5)
        assert (row["accuracy_found"], row["accuracy_direct"]) == (1, 1)
    assert [row["found"] for row in rows[len(CONDITIONS) :]] == [0, 1, 1]
    for row in rows[len(CONDITIONS) :]:  # found or not, every crop is read
        assert (row["n"], row["accuracy_found"], row["accuracy_direct"]) == (2, 0.5, 0.5)


def test_nothing_found_is_an_ordinary_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.evaluation.face_scenes.detect", lambda _scene: ())
    monkeypatch.setattr("ml.emotion.predict.predict", lambda faces: np.eye(7)[[0] * len(faces)])
    row = measure(WHITE[None], np.array([0]), EMOTIONS)[0]
    assert (row["found"], row["accuracy_found"], row["accuracy_direct"]) == (0, None, None)


@pytest.mark.parametrize(("side", "margin"), CROPS)
def test_crop_shows_the_face_in_the_size_that_its_margin_leaves(side: int, margin: float) -> None:
    crop = cut(WHITE, side=side, margin=margin, seed=1).convert("L")
    assert max(crop.size) <= side
    bright = (np.asarray(crop) > 245).sum()
    assert bright > 0.9 * (side / (1 + margin)) ** 2
