"""Light and colour: the direction and the small size of their effect on the mood."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from ml.mood import MUSIC
from ml.scene.colour import LIMIT, mean_scene, mood_of, scene_of, scores
from tests.ml.test_faces import drawing


def test_brighter_version_of_a_photo_is_more_pleasant_and_calmer() -> None:
    dark, bright = (scene_of(ImageEnhance.Brightness(drawing()).enhance(by)) for by in (0.6, 1.2))
    assert bright.light > dark.light
    grey, bright_grey = (mood_of(by, 0) for by in (-1, 1))
    assert bright_grey.mean[0] > grey.mean[0]
    assert bright_grey.mean[1] < grey.mean[1]


def test_more_colourful_version_of_a_photo_is_more_energetic() -> None:
    dull, vivid = (scene_of(ImageEnhance.Color(drawing()).enhance(by)) for by in (0.2, 1.5))
    assert vivid.colour > dull.colour
    assert vivid.mood.mean[1] > dull.mood.mean[1]


def test_usual_photo_says_no_more_than_music() -> None:
    assert np.allclose(mood_of(0, 0).mean, MUSIC.mean)


@given(st.floats(-LIMIT, LIMIT), st.floats(-LIMIT, LIMIT))
def test_any_scene_is_nearly_as_wide_as_music_and_never_wider(light: float, colour: float) -> None:
    mood = mood_of(light, colour)
    left = np.sqrt(mood.covariance.diagonal() / MUSIC.covariance.diagonal())
    assert ((left > 0.95) & (left < 1)).all()
    assert (np.linalg.eigvalsh(MUSIC.covariance - mood.covariance) > 0).all()
    assert ((mood.mean > 0) & (mood.mean < 1)).all()


def test_scores_of_usual_photos_have_a_variance_of_one() -> None:
    rng = np.random.default_rng(7)
    said = np.array([scores(*pair) for pair in rng.normal(size=(4000, 2))])
    assert said.std(axis=0) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (3000, 5), (800, 600)])
def test_photo_of_any_mode_and_size_is_read(mode: str, size: tuple[int, int]) -> None:
    scene = scene_of(drawing(*size).convert(mode))
    assert abs(scene.light) <= LIMIT
    assert abs(scene.colour) <= LIMIT


def test_black_and_white_lie_at_the_ends() -> None:
    black, white = (scene_of(Image.new("RGB", (64, 48), shade)) for shade in ("black", "white"))
    assert (black.light, white.light) == (-LIMIT, LIMIT)
    assert black.colour == white.colour < 0


def test_scene_of_a_video_is_no_surer_than_that_of_a_photo() -> None:
    scene = scene_of(drawing())
    assert mean_scene([scene, scene, scene]) == scene
