"""Learning to tell people's faces from others."""

import random

import numpy as np
import pytest
from PIL import Image

from ml.training.people import train as people
from ml.training.people.train import _ALTERATIONS, _box, _hung, altered, bias_that_loses, fit


def test_two_clouds_are_told_apart() -> None:
    noise = np.random.default_rng(0)
    someone, nobody = noise.normal(1, 1, (400, 20)), noise.normal(-1, 1, (60, 20))
    weights, bias = fit(someone, nobody)
    assert (someone @ weights + bias > 0).mean() > 0.98
    assert (nobody @ weights + bias < 0).mean() > 0.95


def test_the_bias_loses_the_share_that_may_be_lost() -> None:
    rows = np.arange(200.0)[:, None]
    bias = bias_that_loses(0.1, rows, np.ones(1))
    assert (rows[:, 0] + bias < 0).mean() == pytest.approx(0.1)


def test_a_poster_is_where_its_faces_are_said_to_be() -> None:
    picture = Image.new("RGB", (300, 400), "white")
    picture.paste("red", (60, 80, 120, 200))
    box = _box(np.array((60.0, 80.0)), np.array((60.0, 120.0)), np.array(picture.size))
    assert box == pytest.approx((0.2, 0.2, 0.2, 0.3))
    for seed in range(5):
        wall = Image.new("RGB", (800, 500), "black")
        photo, ((x, y, width, height),) = _hung(picture, [box], wall, random.Random(seed))
        middle = (int((x + width / 2) * photo.width), int((y + height / 2) * photo.height))
        assert photo.getpixel(middle) == (255, 0, 0)


def test_alterations_keep_size_and_mode() -> None:
    photo = Image.effect_noise((90, 60), 60).convert("RGB")
    for alteration in _ALTERATIONS:
        assert (alteration(photo).size, alteration(photo).mode) == (photo.size, "RGB")
    assert altered(photo.convert("L"), random.Random(0)).mode == "RGB"


def test_pictures_without_anything_like_a_face_teach_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(people, "encode", None)
    pictures = iter([("drawing", Image.new("RGB", (64, 64)))])
    assert people.seen_of_nobody(pictures, [Image.new("RGB", (64, 64))], random.Random(0)) == []
