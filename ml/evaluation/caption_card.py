"""Write the model card of the caption network from measurements.

`python -m ml.evaluate caption --data FILE --card` measures one file and rewrites the card; the
figures of the other files stay.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ml.evaluation.caption_measure import are_sentiments, labels_of
from ml.evaluation.cards import draw_confusion, draw_reliability, machine, table_of
from ml.evaluation.metrics import interval
from ml.manifest import FOLDER as MODELS
from ml.manifest import entry, model_file

Figures = dict[str, Any]

FOLDER = MODELS / "caption"
TEMPLATE = Path(__file__).with_name("card_templates") / "caption.md"

SOMEWHERE = "Sunset with my favourite people, what a day 🌅 #grateful"

NAMES = {
    "goemotions": "GoEmotions in seven",
    "emotion6": "emotion, its six labels",
    "written": "our captions in seven",
    "umsab": "UMSAB, three sentiments",
}
"""Collections with classes; EmoBank has ratings."""


def write(table: pa.Table, result: Figures) -> Path:
    """Save the figures of one file, plot them and write CARD.md; return its path."""
    name = name_of(table)
    file = FOLDER / "measured.json"
    measured = json.loads(file.read_text()) if file.exists() else {}
    measured[name] = result
    measured["times"] = _times()
    file.write_text(json.dumps(measured, indent=1) + "\n")
    if "confusion" in result:
        draw_reliability(result["reliability"], FOLDER / f"reliability_{name}.png")
        confusion = np.array(result["confusion"])
        draw_confusion(confusion, result["classes"], FOLDER / f"confusion_{name}.png")
    path = FOLDER / "CARD.md"
    if {*NAMES, "emobank"} <= measured.keys():
        path.write_text(text(measured))
    return path


def name_of(table: pa.Table) -> str:
    """Return the collection that a table's columns belong to."""
    if "arousal" in table.column_names:
        return "emobank"
    if are_sentiments(labels_of(table)):
        return "umsab"
    if "valence" in table.column_names:
        return "written"
    return "goemotions" if "labels" in table.column_names else "emotion6"


def _times() -> Figures:
    """Return CPU milliseconds of a typical caption and of one of 10,000 characters, medians of 30.

    CPU time, not wall time, because cards are written on busy machines.
    """
    from ml.caption.predict import read

    return {
        "caption": _cpu_ms(lambda: read([SOMEWHERE])),
        "longest": _cpu_ms(lambda: read([SOMEWHERE * 200])),
        "machine": machine(),
    }


def _cpu_ms(call: Callable[[], Any], times: int = 30) -> float:
    call()
    taken = []
    for _ in range(times):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return round(float(np.median(taken)) * 1000, 1)


def text(measured: Figures) -> str:
    """Return the card as Markdown."""
    described, signs = entry("caption"), measured["written"]["signs"]
    return TEMPLATE.read_text().format(
        version=described["version"],
        data=_data(described),
        frozen=described["frozen"],
        shares=described["shares_of_rounds"],
        temperature=described["temperature"],
        spread=described["spread"],
        rounding=described["rounding"],
        megabytes=f"{model_file('caption').stat().st_size / 1e6:.1f}",
        collections=_collections(measured),
        goemotions=measured["goemotions"],
        emotion6=measured["emotion6"],
        umsab=measured["umsab"],
        ratings=measured["emobank"]["ratings"],
        seven_classes=_classes(measured["goemotions"]),
        six_classes=_classes(measured["emotion6"]),
        sentiments=_sentiments(measured["umsab"]["languages"]),
        signs=signs,
        signs_interval="–".join(f"{edge:.3f}" for edge in interval(signs["right"], signs["n"])),
        n_languages=len(signs["languages"]),
        baselines=_baselines(measured),
        languages=_shares(signs["languages"], "language"),
        kinds=_shares(signs["kinds"], "kind"),
        times=measured["times"],
    )


def _data(described: Figures) -> str:
    return table_of(
        [
            {"rows of": name, "n": f"{n:,}"}
            | {f"round {k}": f"{p[name]} times" for k, p in enumerate(described["passes"], start=1)}
            for name, n in described["trained_on"].items()
        ]
    )


def _collections(measured: Figures) -> str:
    keys = ("accuracy", "balanced_accuracy", "macro_f1", "ece")
    heads = ("accuracy", "balanced accuracy", "macro F1", "ECE")
    return table_of(
        [
            {"data": name, "n": f"{measured[file]['n']:,}"}
            | {head: measured[file][key] for head, key in zip(heads, keys, strict=True)}
            | {"95 %": "–".join(f"{edge:.3f}" for edge in measured[file]["interval"])}
            for file, name in NAMES.items()
        ]
    )


def _classes(result: Figures) -> str:
    kinds = ("precision", "recall", "f1")
    support = np.array(result["confusion"]).sum(axis=1)
    return table_of(
        [
            {"emotion": name, "support": int(support[k])}
            | {kind: f"{result[kind][name]:.2f}" for kind in kinds}
            for k, name in enumerate(result["classes"])
            if name in result["recall"]
        ]
    )


def _baselines(measured: Figures) -> str:
    """Return a table of baselines: accuracy on the collections and of the sign on captions."""
    others = json.loads((FOLDER / "baselines.json").read_text())
    names = list(dict.fromkeys(name for file in NAMES for name in others.get(file, {})))
    rows = [_row("ours", {file: _short(measured[file]) for file in NAMES})]
    rows += [_row(name, {f: others.get(f, {}).get(name, {}) for f in NAMES}) for name in names]
    rows.append(_row("always the most frequent", {f: _majority(measured[f]) for f in NAMES}))
    return table_of(rows)


def _row(name: str, figures: Figures) -> Figures:
    row = {"": name}
    for file, title in NAMES.items():
        row |= {f"{title}: accuracy": figures[file].get("accuracy", "–")}
    return row | {"sign of our captions": figures["written"].get("signs", "–")}


def _short(result: Figures) -> Figures:
    return {"accuracy": result["accuracy"], "signs": result.get("signs", {}).get("right")}


def _majority(result: Figures) -> Figures:
    support = np.array(result["confusion"]).sum(axis=1)
    short = {"accuracy": round(float(support.max() / support.sum()), 4)}
    if "signs" in result:
        short["signs"] = result["signs"]["majority"]
    return short


def _sentiments(parts: Figures) -> str:
    return table_of([{"language": name} | part for name, part in parts.items()])


def _shares(parts: Figures, name: str) -> str:
    return table_of(
        [
            {name: key, "n": part["n"], "sign right": part["right"], "misled": part["misled"]}
            for key, part in parts.items()
        ]
    )
