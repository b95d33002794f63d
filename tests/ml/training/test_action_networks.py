"""The action network's parts: blocks, tuning, joining, the baseline CNN."""

import io
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.action.backbone import TOKENS, encode, preprocess
from ml.action.blocks import Block
from ml.labels import ACTIONS
from ml.training import head
from ml.training.action import publish, train, tune
from ml.training.action.baseline_cnn import baseline_cnn
from ml.training.action.blocks import average_logits, build, last_weights, load_backbone_weights
from ml.training.action.data import fill_cache, open_cache, part_of
from ml.training.action.model import directions, with_familiarity
from ml.training.action.no_action import smoke

PHOTOS = 24


@pytest.fixture
def har(tmp_path: Path) -> Path:
    """Photos in the layout of HAR: two thirds to train with, two of them surplus copies."""
    image = io.BytesIO()
    smoke()[0].save(image, "PNG")
    table = {
        "image": [image.getvalue()] * PHOTOS,
        "label": [ACTIONS[n % 3] for n in range(PHOTOS)],
        "split": (["train"] * 4 + ["val", "test"]) * 4,
        "exact_or_near_copy": [n in {0, 1, 5} for n in range(PHOTOS)],
    }
    file = tmp_path / "har.parquet"
    pq.write_table(pa.table(table), file)
    return file


@pytest.fixture
def cache(har: Path, tmp_path: Path) -> Path:
    cached = open_cache(har, tmp_path / "cache")
    rng = np.random.default_rng(3)
    cached.tokens[:] = rng.normal(size=cached.tokens.shape)
    cached.features[:] = rng.normal(size=cached.features.shape)
    return tmp_path / "cache"


def test_block_of_the_first_token_gives_the_first_of_all() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)
    every, first = Block(8, 2), Block(8, 2, first_only=True)
    assert every(x).shape == (2, 5, 8)
    first.build(x.shape)
    first.set_weights(every.get_weights())
    assert np.allclose(first(x), every(x)[:, :1], atol=1e-5)


def test_untuned_blocks_compute_what_the_backbone_does() -> None:
    model = build()
    load_backbone_weights(model, last_weights())
    seen = encode([preprocess(picture) for picture in smoke()])
    inside = keras.Model(model.input, model.get_layer("norm").output)
    assert np.allclose(inside(seen.tokens), seen.features[:, : TOKENS[1]], atol=1e-3)


def test_surplus_copies_are_left_out_of_train_alone(har: Path) -> None:
    training, val = part_of(har, "train"), part_of(har, "val")
    assert training.rows.tolist() == [n for n in range(2, PHOTOS) if n % 6 < 4]
    assert val.rows.tolist() == [4, 10, 16, 22]
    assert training.labels.tolist() == [n % 3 for n in training.rows.tolist()]
    assert 5 in part_of(har, "test").rows


def test_photos_that_were_not_looked_at_are_not_there(har: Path, cache: Path) -> None:
    cached = open_cache(har, cache)
    cached.tokens[[2, 4]] = 0
    assert 2 not in cached.computed(part_of(har, "train")).rows
    assert cached.computed(part_of(har, "val")).rows.tolist() == [10, 16, 22]


def test_all_photos_but_those_of_test_are_looked_at(har: Path, tmp_path: Path) -> None:
    cached = open_cache(har, tmp_path / "new")
    assert fill_cache(har, cached, minutes=0) == 18
    assert fill_cache(har, cached) == 0
    known = open_cache(har, tmp_path / "new").tokens[:, 0].any(axis=1)
    assert known.tolist() == [n % 6 < 5 and n not in {0, 1} for n in range(PHOTOS)]


def test_batches_keep_the_class_token_and_some_patches(har: Path, cache: Path) -> None:
    tokens, training = open_cache(har, cache).tokens, part_of(har, "train")
    plan = tune.Plan(batch=4, patches=7, mixup=1e-6)
    some, shares = tune.Batches(tokens, training, plan, epoch=0)[0]
    assert some.shape == (4, 8, TOKENS[1])
    assert shares.shape == (4, len(ACTIONS))
    firsts = {tuple(row) for row in tokens[training.rows, 0].round(2).tolist()}
    assert all(tuple(row) in firsts for row in some[:, 0].astype(np.float16).round(2).tolist())
    again = tune.Batches(tokens, training, plan, epoch=0)[0][0]
    other = tune.Batches(tokens, training, plan, epoch=1)[0][0]
    assert np.array_equal(some, again)
    assert not np.array_equal(some, other)


def test_stopped_tuning_goes_on_where_it_left(har: Path, cache: Path, tmp_path: Path) -> None:
    plan = tune.Plan(epochs=2, batch=4, patches=4)
    out = tmp_path / "run"
    assert tune.train(har, cache, out, replace(plan, epochs=1))
    assert not tune.train(har, cache, out, plan, minutes=-1)
    assert tune.train(har, cache, out, plan)
    history = json.loads((out / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history] == [1, 2]


@pytest.mark.parametrize("with_blocks", [False, True])
def test_published_network_is_calibrated_and_described(
    with_blocks: bool, har: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped: dict[str, object] = {}
    monkeypatch.setattr(
        "ml.training.action.publish.publish", lambda *given: shipped.update(given=given)
    )
    monkeypatch.setattr("ml.training.action.publish.plot", lambda *_: None)
    monkeypatch.setattr("ml.training.action.train.CONFIGS", {"tiny": head.HeadConfig(epochs=1)})
    train.train(har, cache)
    run = tmp_path / "run" if with_blocks else None
    if run:
        tune.train(har, cache, run, tune.Plan(epochs=1, batch=4, patches=4))
    described = publish.publish_network(har, cache, run)
    assert shipped["given"] == ("action", cache / "action.keras", described)
    assert np.array(described["smoke"]).shape == (3, len(ACTIONS))
    inputs = [each.name for each in keras.models.load_model(cache / "action.keras").inputs]
    assert inputs == (["tokens", "features"] if with_blocks else ["features"])
    assert ("blocks" in described["validation"]) == with_blocks


def test_joined_network_gives_the_mean_of_both_and_the_familiarity(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(6, 6)).astype(np.float32)
    labels = np.arange(6) % 2
    bare, _ = head.fit(
        features, np.eye(2, dtype=np.float32)[labels], head.HeadConfig(epochs=2), name="h"
    )
    frozen = with_familiarity(bare, directions(bare, features, labels))
    tuned = build(width=8, heads=2, classes=2)
    tokens = rng.normal(size=(6, 5, 8)).astype(np.float32)
    average_logits(tuned, frozen).save(tmp_path / "joined.keras")
    logits, familiarity = keras.models.load_model(tmp_path / "joined.keras")([tokens, features])
    assert np.allclose(logits, (tuned(tokens) + frozen(features)[0]) / 2, atol=1e-4)
    assert np.allclose(familiarity, frozen(features)[1], atol=1e-5)


def test_baseline_cnn_has_the_parameters_that_its_report_lists() -> None:
    model = baseline_cnn()
    counts = [n for layer in model.layers if (n := layer.count_params())]
    assert counts == [896, 18_496, 73_856, 21_234_176, 7_695]
    assert model.get_layer(index=-4).output.shape == (None, 41_472)
