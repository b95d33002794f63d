"""The manifest lists files that exist, and refuses others."""

import json
from pathlib import Path

import pytest

from ml import manifest as module
from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import ModelsMissing, digest, manifest, model_file, weights_file


@pytest.mark.parametrize("name", ["emotion", "action", "caption", "scene", "people"])
def test_shipped_model_is_the_one_described(name: str) -> None:
    described = manifest()["models"][name]
    assert digest(model_file(name)) == described["sha256"]
    if name == "scene":
        assert described["left_out_themes"], "python -m ml.training.scene.train measures them"
    elif name == "people":
        assert described["figures"], "python -m ml.training.people.train measures them"
    else:
        assert tuple(described["classes"]) == (ACTIONS if name == "action" else EMOTIONS)
        assert described["measured"], "python -m ml.evaluate ... --record has not been run"
    assert model_file(name).stat().st_size < 24 * 2**20
    cards = (model_file(name).with_suffix(".md"), model_file(name).with_suffix("") / "CARD.md")
    assert sum(card.is_file() for card in cards) == 1


@pytest.mark.parametrize("name", ["yunet", "blazeface", "dinov2", "tinyvit", "e5"])
def test_packaged_weights_are_the_pinned_ones(name: str) -> None:
    described = manifest()["weights"][name]
    assert weights_file(name).name == Path(described["path"]).name
    assert {"version", "licence", "sha256"} <= described.keys()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    content = {
        "models": {"emotion": {"file": "emotion.keras", "sha256": "0" * 64}},
        "weights": {"yunet": {"package": "no_such_package", "path": "x", "sha256": ""}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "manifest", lambda: content)
    return tmp_path


def test_missing_file_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ModelsMissing, match=r"missing.*git checkout"):
        model_file.__wrapped__("emotion")


def test_changed_file_is_refused(folder: Path) -> None:
    (folder / "emotion.keras").write_bytes(b"other")
    with pytest.raises(ModelsMissing, match="doesn't match the manifest"):
        model_file.__wrapped__("emotion")


def test_package_that_is_not_installed_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ModelsMissing, match=r"not installed.*weights\.txt"):
        weights_file.__wrapped__("yunet")


def test_package_below_one_that_is_not_installed_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {
        "package": "no_such.package",
        "path": "x",
        "sha256": "",
        "install": "-r beside.txt",
    }
    monkeypatch.setattr(module, "manifest", lambda: {"weights": {"tinyvit": described}})
    with pytest.raises(ModelsMissing, match=r"not installed.*-r beside\.txt"):
        weights_file.__wrapped__("tinyvit")


def test_published_and_recorded_figures_replace_earlier_ones(folder: Path, tmp_path: Path) -> None:
    trained = tmp_path / "trained.keras"
    trained.write_bytes(b"weights")
    module.publish("emotion", trained, {"version": "2"})
    for accuracy in (0.5, 0.6):
        module.record("emotion", "fer.parquet", "test", {"n": 3, "accuracy": accuracy})
    written = json.loads((folder / "manifest.json").read_text())["models"]["emotion"]
    assert written["sha256"] == digest(folder / "emotion.keras")
    assert written["measured"] == [
        {"data": "fer.parquet", "split": "test", "n": 3, "accuracy": 0.6}
    ]
