"""Write the model card of the action network from measurements.

Called by `python -m ml.evaluate action --data har.parquet --split test --no-action none.parquet
--card`. The pictures need matplotlib, which is among the requirements for training.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ml.action.predict import score
from ml.evaluation.cards import draw_confusion, draw_reliability, fastest_ms, machine, table_of
from ml.images import decoded
from ml.labels import ACTIONS, INTENSITIES
from ml.manifest import FOLDER as MODELS
from ml.manifest import entry, model_file

Figures = dict[str, Any]

FOLDER = MODELS / "action"
TEMPLATE = Path(__file__).with_name("card_templates") / "action.md"

FROZEN = "A head of our own on frozen features of DINOv2 ViT-S/14"
TUNED = """The mean of two heads of our own: one on frozen features, one on the last two blocks,
tuned to these actions, of DINOv2 ViT-S/14"""
STEPS = {
    "data": "",
    "train": "",
    "tune": " --out RUN --bfloat16",
    "publish": " --run RUN",
}
"""The commands of `ml.training.action` in order, and the options that the blocks need."""

AT_ONCE = 8
"""Batch size for measuring throughput."""


def write(table: pa.Table, result: Figures) -> Path:
    """Measure times, plot the figures and write CARD.md; return its path."""
    draw_reliability(result["reliability"], FOLDER / "reliability.png")
    draw_confusion(np.array(result["confusion"]), ACTIONS, FOLDER / "confusion.png")
    measured = {"times": _times(table["image"].slice(0, AT_ONCE).to_pylist())}
    (FOLDER / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
    path = FOLDER / "CARD.md"
    path.write_text(text(result, measured))
    return path


def _times(images: list[bytes]) -> Figures:
    photos = [decoded(encoded, "A photo").convert("RGB") for encoded in images]
    large = photos[0].resize((1600, 1200))
    together = fastest_ms(lambda: score(photos), times=5)
    return {
        "photo": fastest_ms(lambda: score([large])),
        "a_second": round(1000 * len(photos) / together, 1),
        "machine": machine(),
    }


def baseline() -> Figures:
    """Return the figures of the baseline CNN; empty if it wasn't measured."""
    file = FOLDER / "baseline_cnn.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def text(result: Figures, measured: Figures) -> str:
    """Return the card as Markdown."""
    described = entry("action")
    tuned = "blocks" in described["validation"]
    return TEMPLATE.read_text().format(
        **{key: described[key] for key in ("version", "temperature", "threshold", "familiarity")},
        validation=described["validation"],
        what=TUNED if tuned else FROZEN,
        how=_how(tuned=tuned),
        trained_on=f"{described['trained_on']:,}",
        megabytes=f"{model_file('action').stat().st_size / 1e6:.1f}",
        overall=_overall(result),
        per_class=_per_class(result),
        per_intensity=_per_intensity(result["intensity"]["confusion"]),
        per_source=_per_source(result["none"]),
        false_tags="–".join(f"{edge:.3f}" for edge in result["none"]["interval"]),
        times=measured["times"],
        **{key: result[key] for key in ("n", "ece", "named", "intensity", "none")},
    )


def _how(*, tuned: bool) -> str:
    shared = "python -m ml.training.action.{} --data har.parquet --cache FOLDER{}"
    return "\n".join(
        "    " + shared.format(step, more if tuned else "")
        for step, more in STEPS.items()
        if tuned or step != "tune"
    )


def _overall(result: Figures) -> str:
    columns = {"Storify": result, "baseline CNN, trained here": baseline()}
    keys = {"n": "n", "accuracy": "accuracy", "macro F1": "macro_f1", "ECE": "ece"}
    rows = []
    for name, figures in columns.items():
        if figures:
            low, high = figures["interval"]
            row = {"network": name} | {word: figures[key] for word, key in keys.items()}
            rows.append(row | {"accuracy, 95 %": f"{low:.3f}–{high:.3f}"})
    return table_of(rows)


def _per_class(result: Figures) -> str:
    kinds, before = ("precision", "recall", "f1"), baseline()
    rows = []
    for name in result["recall"]:
        row = {"action": name} | {kind: f"{result[kind][name]:.2f}" for kind in kinds}
        row |= {f"baseline CNN: {kind}": f"{before[kind][name]:.2f}" for kind in kinds if before}
        rows.append(row)
    return table_of(rows)


def _per_intensity(confusion: list[list[int]]) -> str:
    return table_of(
        [
            {"labelled": name} | dict(zip(INTENSITIES, row, strict=True))
            for name, row in zip(INTENSITIES, confusion, strict=True)
        ]
    )


def _per_source(no_action: Figures) -> str:
    return table_of([{"source": name} | row for name, row in no_action.get("sources", {}).items()])
