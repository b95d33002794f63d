"""Fitting the fusion: do the numbers follow what the stories say?"""

from typing import Any

import numpy as np
import pytest

from ml.mood import EMOTION_ANCHORS, MUSIC_MEAN, PHOTOS, Gaussian, statements
from ml.mood.fusion import evidence
from ml.training.mood import train
from ml.training.mood.stories import Told, composed_stories, rated_photos
from ml.training.scene.data import Seen
from ml.types import Float64Array

N = 60


def near(places: Float64Array, sd: float, rng: np.random.Generator) -> list[Gaussian]:
    """Readings that are off by this much and know it."""
    off = rng.normal(scale=sd, size=places.shape)
    return [Gaussian(place, np.eye(2) * sd**2) for place in places + off]


def told(**given: Any) -> Any:
    return evidence(statements(**given))


@pytest.fixture
def moods() -> Float64Array:
    return np.random.default_rng(3).normal(MUSIC_MEAN, 0.2, size=(N, 2))


def test_modality_that_is_off_is_trusted_less_than_one_that_is_right(moods: Float64Array) -> None:
    rng = np.random.default_rng(7)
    right = near(moods, 0.1, rng)
    off = near(rng.permutation(moods), 0.1, rng)
    pairs = zip(right, off, strict=True)
    fusion = train.fit([Told([told(caption=c, scene=s) for c, s in pairs], moods=moods)], rounds=1)
    assert fusion.reliability["scene"] < 0.3 < fusion.reliability["caption"]


def test_error_that_faces_and_scene_have_in_common_is_found(
    moods: Float64Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "TRIED", {"shared": train.TRIED["shared"]})
    rng = np.random.default_rng(7)
    common = rng.normal(scale=0.15, size=moods.shape)
    scenes = near(moods + common, 0.05, rng)
    names = np.array([*EMOTION_ANCHORS])
    anchors = np.array([*EMOTION_ANCHORS.values()])
    apart = ((anchors - (moods + common)[:, None]) ** 2).sum(axis=2)
    faces = [{str(name): 1.0} for name in names[apart.argmin(axis=1)]]
    pairs = zip(faces, scenes, strict=True)
    fusion = train.fit([Told([told(emotion=f, scene=s) for f, s in pairs], moods=moods)], rounds=1)
    assert min(fusion.shared.values()) >= 0.09


def test_loss_of_sides_is_least_where_they_are_told(moods: Float64Array) -> None:
    sides = np.sign(moods - MUSIC_MEAN).astype(np.int64)
    stories = [told(scene=Gaussian(place, np.eye(2) * 0.01)) for place in moods]
    right = Told(stories, sides=sides).loss(train.START)
    wrong = Told(stories, sides=-sides).loss(train.START)
    assert right < np.log(2) < wrong


def test_side_of_zero_is_left_out(moods: Float64Array) -> None:
    sides = np.sign(moods - MUSIC_MEAN).astype(np.int64)
    stories = [told(scene=Gaussian(place, np.eye(2) * 0.01)) for place in moods]
    alone = Told(stories[:9], sides=sides[:9]).loss(train.START)
    sides[9:] = 0
    assert Told(stories, sides=sides).loss(train.START) == pytest.approx(alone)


def test_stories_count_by_their_weight(moods: Float64Array) -> None:
    stories = [told(scene=Gaussian(place, np.eye(2) * 0.01)) for place in moods]
    whole, quarter = Told(stories, moods=moods), Told(stories, moods=moods + 1, weight=0.25)
    one, other = (each.loss(train.START) for each in (whole, quarter))
    assert train.loss(train.START, [whole, quarter]) == pytest.approx((4 * one + other) / 5)


def test_loss_of_moods_is_that_of_the_gaussian() -> None:
    """Without any modality: PHOTOS' place, log determinant and two-dimensional constant."""
    stories = [told(scene=PHOTOS)]
    expected = np.log(2 * np.pi) + np.log(np.linalg.det(PHOTOS.covariance)) / 2
    assert Told(stories, moods=PHOTOS.mean[None]).loss(train.START) == pytest.approx(expected)


def test_rated_photos_lie_where_their_ratings_say() -> None:
    tags = {"emotion": None, "action": None, "intensity": {"low": 1.0}}
    rated = rated_photos(Seen({}, [tags]), [PHOTOS], np.array([[1.0, -1.0]]))
    assert rated.moods is not None
    sd = np.sqrt(PHOTOS.covariance.diagonal())
    assert rated.moods[0] == pytest.approx(PHOTOS.mean + sd * np.array([1.0, -1.0]))
    assert set(rated.evidence[0]) == {"activity", "scene"}
    assert composed_stories([]).evidence == []


def test_figures_of_stories_are_split_by_kind() -> None:
    bright = Gaussian(np.array([0.9, 0.7]), np.diag([0.02, 0.03]))
    grief = Gaussian(np.array([0.15, 0.4]), np.eye(2) * 0.01)
    stories = Told(
        [told(scene=bright), told(scene=bright, caption=grief)],
        sides=np.array([[1, 1], [-1, -1]]),
        kinds=["empty", "contradicts"],
    )
    figures = train.story_figures(stories, train.START)
    assert figures["n"] == 2
    assert (figures["empty"]["disagree"], figures["contradicts"]["disagree"]) == (0, 1)
    assert figures["empty"]["valence_right"] == 1
