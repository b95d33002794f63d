"""A candidate of a tiny network: trained on reviews and base data, compared, put in service."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ml import networks
from ml.emotion.predict import predict
from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import digest, entry, manifest, versions
from ml.serving.files import check
from ml.training.action.blocks import average_logits, build
from ml.training.action.model import with_familiarity
from ml.training.candidate import train as module
from ml.training.candidate.rows import Rows
from ml.training.candidate.train import NothingToLearn, Plan, Serving, train_candidate
from ml.training.emotion.fer2013 import VOTES
from ml.training.emotion.model import plain
from ml.training.head import HeadConfig
from ml.training.head import build as build_head


def face(label: str, rng: np.random.Generator) -> bytes:
    """Bright for happy, dark for sad."""
    pixels = rng.normal(210 if label == "happy" else 40, 12, (48, 48)).clip(0, 255)
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder, rng = tmp_path / "export", np.random.default_rng(2)
    folder.mkdir()
    labels = ["happy", "sad"] * 40
    splits = ["train"] * 40 + ["val"] * 10 + ["test"] * 30
    table = {
        "image": [face(label, rng) for label in labels],
        "label": labels,
        "split": splits,
        "audit": [k % 4 != 0 for k in range(80)],
    }
    pq.write_table(pa.table(table), folder / "emotion.parquet")
    (folder / "manifest.json").write_text(json.dumps({"version": "an export"}))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Base data in the layout of FER-2013."""
    rng, rows = np.random.default_rng(4), 360
    labels = [EMOTIONS[k % 7] for k in range(rows)]
    table = {
        "image": [face(label, rng) for label in labels],
        "label": labels,
        "split": ["train"] * 330 + ["public_test"] * 30,
        "duplicate_group": [*range(rows)],
        "copy_in_train": [False] * 355 + [True] * 5,
        "votes_nf": [0] * rows,
    } | {f"votes_{name}": [1] * rows for name in (*VOTES, "contempt", "unknown")}
    (tmp_path / "vision").mkdir()
    pq.write_table(pa.table(table), tmp_path / "vision" / "fer2013.parquet")
    return tmp_path


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    keras.utils.set_random_seed(1)
    file = tmp_path / "serving.keras"
    plain(widths=(4, 4)).save(file)
    described = manifest()["models"]["emotion"] | {"label": [1.0, [0.0] * 7]}
    return Serving(file, described | {"version": "5.1.0"})


QUICK = Plan(epochs=12, rate=0.02, batch=16, base=60)


def trained(serving: Serving, export: Path, data: Path | None, out: Path) -> dict[str, Any]:
    return train_candidate(
        "emotion",
        serving=serving,
        export=export,
        data=data,
        out=out,
        version="5.1.0+1",
        plan=QUICK,
    )


def test_a_candidate_learns_from_reviews_and_is_compared_on_photos_of_others(
    serving: Serving, export: Path, tmp_path: Path
) -> None:
    before = digest(serving.file)

    described = trained(serving, export, None, tmp_path / "out")

    audit = described["comparison"]["audit"]
    assert described["comparison"]["public"] is None
    assert audit["n"] == 23  # the audit's part of the test split
    assert audit["candidate"] > max(audit["serving"], 0.9)
    assert audit["low"] <= audit["difference"] <= audit["high"]
    assert (described["reviewed"], described["base"]) == ({"train": 40, "val": 10, "test": 30}, 0)
    assert described["compared_with"] == "5.1.0"
    assert "Frozen public test set: not measured" in described["card"]
    assert f"{audit['candidate']:.4f} now" in described["card"]
    assert digest(serving.file) == before
    check("emotion", tmp_path / "out" / "model.keras", described["sha256"])
    assert json.loads((tmp_path / "out" / "candidate.json").read_text()) == described


def test_only_the_last_layer_changes_and_only_its_outputs_for_labels(
    serving: Serving, export: Path, tmp_path: Path
) -> None:
    trained(serving, export, None, tmp_path / "out")

    before, after = (
        keras.models.load_model(file, compile=False)
        for file in (serving.file, tmp_path / "out" / "model.keras")
    )
    for old, new in zip(before.layers, after.layers, strict=True):
        for one, other in zip(old.get_weights(), new.get_weights(), strict=True):
            if old.name == "logits":
                assert not np.allclose(one[..., :7], other[..., :7])
                # What voters would say isn't trained, but for weight decay.
                assert np.allclose(one[..., 7:], other[..., 7:], atol=0.02)
            else:
                assert np.array_equal(one, other)


def test_with_base_data_it_is_also_compared_on_the_public_test_set_and_calibrated(
    serving: Serving, export: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_VALIDATION", 20)

    described = trained(serving, export, data, tmp_path / "out")

    assert described["comparison"]["public"]["n"] == 25  # without copies of training images
    assert described["base"] == 60
    assert described["entry"]["label"] != serving.entry["label"]
    assert described["entry"]["version"] == "5.1.0+1"
    assert "smoke" not in described["entry"]


def test_with_few_rows_the_calibration_stays(
    serving: Serving, export: Path, tmp_path: Path
) -> None:
    described = trained(serving, export, None, tmp_path / "out")
    assert described["entry"]["label"] == serving.entry["label"]


def test_without_a_reviewed_row_nothing_is_trained(serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(NothingToLearn, match="Review more photos"):
        trained(serving, tmp_path, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_action_network_of_two_inputs_is_tuned_in_both_halves() -> None:
    keras.utils.set_random_seed(1)
    blocks = build(width=12, heads=2)
    head = build_head(6, len(ACTIONS), HeadConfig(), name="head")
    model = average_logits(blocks, with_familiarity(head, np.ones((6, len(ACTIONS)), np.float32)))
    rng = np.random.default_rng(1)
    labels = np.arange(30) % 2
    tokens = rng.normal(labels[:, None, None] * 2 - 1, 1, (30, 5, 12)).astype(np.float16)
    features = rng.normal(labels[:, None] * 2 - 1, 1, (30, 6)).astype(np.float32)
    rows = Rows((tokens, features), labels)
    kind = module.KINDS["action"]

    module.fit(kind, model, rows, None, Plan(epochs=30, rate=0.05, batch=10))

    said = kind.scores(module._run(model), rows, "test")
    assert (said.argmax(axis=1) == labels).mean() > 0.9


def test_a_loaded_network_is_used_with_its_own_entry_until_it_is_taken_out(
    serving: Serving,
) -> None:
    faces = np.random.default_rng(3).integers(0, 255, (2, 48, 48), dtype=np.uint8)
    shipped, version = predict(faces), versions()["emotion"]
    loaded = networks.load("emotion", serving.file, serving.entry | {"version": "tiny"})
    assert np.array_equal(predict(faces), shipped)  # beside the one in use

    with networks.instead("emotion", loaded):
        assert versions()["emotion"] == entry("emotion")["version"] == "tiny"
        assert not np.allclose(predict(faces), shipped)
    assert np.array_equal(predict(faces), shipped)
    assert versions()["emotion"] == version

    networks.serve("emotion", loaded)
    try:
        assert not np.allclose(predict(faces), shipped)
    finally:
        networks.serve("emotion", None)
    assert np.array_equal(predict(faces), shipped)


def test_a_network_with_other_outputs_is_not_loaded(tmp_path: Path) -> None:
    inputs = keras.Input((44, 44, 1))
    other = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="outputs"):
        networks.load("emotion", tmp_path / "other.keras", {"version": "x"})
    assert networks.network("emotion").output.shape[-1] == 14
