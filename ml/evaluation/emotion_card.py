"""Write the model card of the emotion network from measurements.

Called by `python -m ml.evaluate emotion --data fer2013.parquet --split test --card`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ml.emotion.photo import read_faces
from ml.emotion.predict import predict
from ml.evaluation import face_scenes, robustness
from ml.evaluation.cards import draw_confusion, draw_reliability, machine, median_ms, table_of
from ml.faces.detection import detect
from ml.labels import EMOTIONS
from ml.manifest import FOLDER as MODELS
from ml.manifest import entry, model_file
from ml.training.curves import pyplot
from ml.training.emotion.data import decode
from ml.types import Int64Array

Figures = dict[str, Any]

FOLDER = MODELS / "emotion"
TEMPLATE = Path(__file__).with_name("card_templates") / "emotion.md"

CHANGED = 3000
"""Test faces, evenly spread, for robustness; the standard error is 0.8 %."""

SCENES = 200
"""Test faces, evenly spread, to paste into scenes."""


def write(table: pa.Table, result: Figures) -> Path:
    """Measure robustness and times, plot the figures and write CARD.md; return its path."""
    pyplot()  # if it isn't installed, fail before minutes of measuring
    faces = np.stack([decode(encoded) for encoded in table["image"].to_pylist()])
    labels = np.array([EMOTIONS.index(label) for label in table["label"].to_pylist()])
    changed, some = (spread(len(labels), n) for n in (CHANGED, SCENES))
    changes = robustness.measure(
        faces[changed], labels[changed], lambda these: np.concatenate([*_predicted(these)])
    )
    placed = face_scenes.measure(faces[some], labels[some], EMOTIONS)
    times = _times(faces)
    draw_reliability(result["reliability"], FOLDER / "reliability.png")
    draw_confusion(np.array(result["confusion"]), EMOTIONS, FOLDER / "confusion.png")
    measured = {"robustness": changes, "scenes": placed, "times": times}
    (FOLDER / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
    path = FOLDER / "CARD.md"
    path.write_text(text(result, measured))
    return path


def spread(rows: int, n: int) -> Int64Array:
    """Return the numbers of at most n rows, evenly spread over all."""
    return np.linspace(0, rows - 1, min(n, rows)).astype(np.int64)


def figures(name: str) -> Figures:
    """Return the figures of one of the BASELINES; empty if it wasn't measured."""
    file = FOLDER / f"{name}.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _predicted(faces: Any, size: int = 128) -> Sequence[Any]:
    return [predict(faces[start : start + size]) for start in range(0, len(faces), size)]


def _times(faces: Any) -> Figures:
    """Milliseconds of one face, and of a 1600-pixel photo with one face, as medians of 30."""
    photo = face_scenes.paste(faces[0], side=200, angle=0, light=1, seed=0).resize((1600, 1200))
    return {
        "face": median_ms(lambda: predict(faces[:1])),
        "photo": median_ms(lambda: read_faces(photo, detect(photo))),
        "machine": machine(),
    }


def text(result: Figures, measured: Figures) -> str:
    """Return the card as Markdown."""
    described = entry("emotion")
    template = TEMPLATE.read_text()
    return template.format(
        trained_on=f"{described['trained_on']:,}",
        validation=described["validation"],
        version=described["version"],
        scaling=_scaling(*described["label"]),
        threshold=described["threshold"],
        least=round(described["conformal"]["threshold"], 3),
        megabytes=f"{model_file('emotion').stat().st_size / 1e6:.1f}",
        per_part=_per_part(result),
        per_class=_per_class(result),
        ferplus=result["ferplus"],
        ece=result["ece"],
        named=result["named"],
        sets=result["sets"],
        robustness=_changed(measured["robustness"]),
        scenes=table_of(measured["scenes"]),
        times=measured["times"],
    )


def _scaling(temperature: float, bias: Sequence[float]) -> str:
    shifts = (f"{name} {shift:+.2f}" for name, shift in zip(EMOTIONS, bias, strict=True))
    return f"the temperature {temperature:.3f} and adds {', '.join(shifts)}"


def _per_part(result: Figures) -> str:
    rows = []
    for name, key in PARTS.items():
        part = result[key] if key else result
        low, high = part["interval"]
        row = {
            "FER-2013": name,
            "n": f"{part['n']:,}",
            "accuracy": f"**{part['accuracy']:.4f}**",
            "95 %": f"{low:.3f}–{high:.3f}",
            "macro F1": f"{part['macro_f1']:.4f}",
            "ECE": f"{part['ece']:.4f}",
        }
        for baseline, words in BASELINES.items():
            if measured := figures(baseline):
                row[words] = f"{(measured[key] if key else measured)['accuracy']:.4f}"
        rows.append(row)
    return table_of(rows)


BASELINES = {"baseline_cnn": "baseline CNN, trained here", "teacher": "four teachers, their mean"}

PARTS = {
    "public test": "public_test",
    "private test": "private_test",
    "both": None,
    "both, without copies of training images": "without_copies",
}


def _changed(rows: Sequence[Figures]) -> str:
    for name in BASELINES:
        label = name.replace("_cnn", " CNN")
        beside = figures(name).get("robustness", [{}] * len(rows))
        rows = [
            row | {f"{label}: {kind}": other[kind] for kind in ("accuracy", "cost") if other}
            for row, other in zip(rows, beside, strict=True)
        ]
    return table_of(rows)


def _per_class(result: Figures) -> str:
    support = np.array(result["confusion"]).sum(axis=1)
    baseline = figures("baseline_cnn")
    kinds = ("precision", "recall", "f1")
    rows = []
    for k, name in enumerate(EMOTIONS):
        row = {"emotion": name, "support": int(support[k])}
        row |= {kind: f"{result[kind][name]:.2f}" for kind in kinds}
        row |= {
            f"baseline CNN: {kind}": f"{baseline[kind][name]:.2f}" for kind in kinds if baseline
        }
        rows.append(row)
    return table_of(rows)
