"""Write MOOD.md and the card of the scene: `python -m ml.evaluation.mood.cards`.

The figures are those that `ml.training.scene.train`, `ml.training.mood.train` and `ml.ablate
--record` have written beside the models.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ml.action.backbone import encode, preprocess
from ml.evaluation.cards import fastest_ms, machine, table_of
from ml.manifest import FOLDER, entry, model_file
from ml.mood import MUSIC_MEAN, MUSIC_SD
from ml.mood.fusion import CONTRADICTS, FILE
from ml.scene.predict import scene_of

TEMPLATES = Path(__file__).parents[1] / "card_templates"
NOT_MEASURED = "Not measured since the models changed."
SIDES = ("valence_right", "valence_misled", "energy_right", "disagree")

Figures = dict[str, Any]


def scene_card(milliseconds: float) -> str:
    """Return the card of the scene as Markdown."""
    described = entry("scene")
    figures = described["left_out_themes"]
    kinds = [
        {
            "photos": name,
            "n": kind["n"],
            "r of valence, energy": _pair(kind["r"]),
            "mean error": _pair(kind["error"]),
            "RMSE": _pair(kind["rmse"]),
        }
        for name, kind in figures["kinds"].items()
    ]
    return _filled(
        "scene",
        {
            **described,
            **_with_intervals(figures),
            "megabytes": round(model_file("scene").stat().st_size / 1e6, 1),
            "middle": MUSIC_MEAN,
            "sd": MUSIC_SD,
            "other_folds": "; ".join(_pair(pair) for pair in figures["other_folds"]),
            "kinds": table_of(kinds),
            "stretch": _pair(described["stretch"]),
            "ms": milliseconds,
            "machine": machine(),
        },
    )


def mood_card() -> str:
    """Return MOOD.md."""
    written = json.loads(FILE.read_text())
    fusion, figures, rows = written["fusion"], written["figures"], written.get("ablation")
    learned = {
        "reliability": fusion["reliability"],
        "common error of the photo": fusion["shared"],
        "widened by disagreement": fusion["widening"],
    }
    lines = [{"what": what, **_listed(numbers)} for what, numbers in learned.items()]
    return _filled(
        "mood",
        {
            **_with_intervals(figures["left_out_themes"]),
            **figures["loss"],
            "learning_n": figures["stories"]["learning"]["n"],
            "numbers": sum(map(len, fusion.values())),
            "contradicts": CONTRADICTS,
            "learned": table_of(lines),
            "stories": table_of(story_rows(figures["stories"])),
            "ablation": table_of(ablation_rows(rows)) if rows else NOT_MEASURED,
        },
    )


def story_rows(splits: Mapping[str, Figures]) -> list[Figures]:
    """Return a row for every split and kind of written stories."""
    rows = []
    for split, figures in splits.items():
        kinds = {"all": figures} | {n: k for n, k in figures.items() if isinstance(k, dict)}
        for name, kind in kinds.items():
            shares = {key: kind.get(key, "") for key in SIDES}
            rows.append({"part": split, "caption": name, "n": kind["n"], **shares})
    return rows


def ablation_rows(rows: Sequence[Figures]) -> list[Figures]:
    """Return the rows of `ml.ablate` with figures as text."""
    return [
        {k: v if k == "modalities" else f"{v[0]:.3f} ± {v[1]:.3f}" for k, v in row.items()}
        for row in rows
    ]


def _listed(numbers: Mapping[str, float]) -> dict[str, str]:
    return {"numbers": ", ".join(f"{name} {value:g}" for name, value in numbers.items())}


def _with_intervals(figures: Figures) -> Figures:
    spreads = {k: _pair(v, " to ") for k, v in figures.items() if k.endswith("_interval")}
    return figures | spreads


def _pair(numbers: Sequence[float], between: str = ", ") -> str:
    return between.join(f"{number:.2f}" for number in numbers)


def _filled(name: str, values: Figures) -> str:
    return (TEMPLATES / f"{name}.md").read_text().format(**values)


def _milliseconds() -> float:
    rng = np.random.default_rng(7)
    view = preprocess(Image.fromarray(rng.integers(0, 255, (600, 800, 3), dtype=np.uint8)))
    seen = encode([view])
    return fastest_ms(lambda: scene_of(view, seen))


def main() -> int:
    (FOLDER / "scene").mkdir(exist_ok=True)
    (FOLDER / "scene" / "CARD.md").write_text(scene_card(_milliseconds()))
    (FOLDER / "MOOD.md").write_text(mood_card())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
