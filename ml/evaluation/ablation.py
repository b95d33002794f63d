"""Measure what each modality adds to the mood, on stories composed of labelled parts.

python -m ml.ablate --faces fer2013.parquet --captions goemotions.parquet --photos har.parquet
    [--split test] [--cache FOLDER] [--learn] [--json]

No data set has the mood of whole stories, so stories are simulated: an emotion is drawn, then a
mood from its distribution in the study behind EMOTION_ANCHORS; a face, a caption and a photo of an
action follow, each with a label drawn by how well it fits that mood. Face, caption and photo are
held-out rows of their data sets, and the shipped models predict their tags. `--learn` fits the
reliabilities of the modalities on `--split val` instead.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.evaluation.cards import table_of
from ml.evaluation.holdout import Parts, parts_of
from ml.labels import ACTION_INTENSITY, ACTIONS, EMOTIONS
from ml.mood import (
    ACTION_VALENCE,
    ACTION_VALENCE_SD,
    EMOTION_ANCHORS,
    EMOTION_SD,
    INTENSITY_ENERGY,
    INTENSITY_SD,
    MUSIC,
    RELIABILITY,
    Evidence,
    Gaussian,
    MoodTarget,
    Statement,
    combine,
    evidence,
    statements,
)
from ml.scene.colour import mood_of, scores
from ml.types import Float64Array

Report = dict[str, Any]

WORLDS, STORIES = 5, 1_000
SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
HALF, NINE_TENTHS = 2 * np.log(2), 2 * np.log(10)
"""Squared Mahalanobis distances that contain 50 % and 90 % of a two-dimensional Gaussian."""

UNDIVIDED = "undivided"
"""In a set: don't divide by the Gaussians of uninformed modalities."""

SETS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "scene": ("scene",),
    "emotion": ("emotion",),
    "caption": ("caption",),
    "activity": ("activity",),
    "without emotion": ("caption", "activity", "scene"),
    "without caption": ("emotion", "activity", "scene"),
    "without activity": ("emotion", "caption", "scene"),
    "without scene": ("emotion", "caption", "activity"),
    "all": ("emotion", "caption", "activity", "scene"),
    "all, as they stand": ("emotion", "caption", "activity", "scene", UNDIVIDED),
}


@dataclass(frozen=True)
class Story:
    """A mood (valence, energy) that was drawn, and the models' predictions for the parts."""

    mood: Float64Array
    emotion: Mapping[str, float]
    caption: Gaussian
    action: Mapping[str, float]
    intensity: Mapping[str, float]
    scene: Gaussian

    def target(self, use: Iterable[str], reliability: Mapping[str, float]) -> MoodTarget:
        """Return the fused mood of the modalities in `use`."""
        stated = statements(
            emotion=self.emotion,
            caption=self.caption,
            action=self.action,
            intensity=self.intensity,
        )
        worth = _undivided(stated) if UNDIVIDED in use else evidence(stated, reliability)
        chosen = [item for name, item in worth.items() if name in use]
        return combine(chosen, self.scene if "scene" in use else MUSIC)


def _undivided(stated: Mapping[str, Statement]) -> dict[str, Evidence]:
    """Return the Gaussians themselves as evidence, undivided: the baseline."""
    worth: dict[str, Evidence] = {}
    for name, (gaussian, _) in stated.items():
        precision = np.asarray(np.linalg.inv(gaussian.covariance), dtype=np.float64)
        worth[name] = Evidence(gaussian.mean, precision, precision @ gaussian.mean)
    return worth


# --- Composing and measuring ----------------------------------------------------------------------


def compose(parts: Parts, count: int, rng: np.random.Generator) -> list[Story]:
    """Return that many stories."""
    return [_story(parts, rng) for _ in range(count)]


def _story(parts: Parts, rng: np.random.Generator) -> Story:
    mood = _mood(EMOTION_ANCHORS[str(rng.choice(EMOTIONS))], rng)
    emotion_shares = _fit(mood, np.array([EMOTION_ANCHORS[name] for name in EMOTIONS]), EMOTION_SD)
    action_shares = _fit(
        mood,
        np.array([(ACTION_VALENCE[a], INTENSITY_ENERGY[ACTION_INTENSITY[a]]) for a in ACTIONS]),
        (ACTION_VALENCE_SD, INTENSITY_SD),
    )
    photo = _pick(parts.activity, str(rng.choice(ACTIONS, p=action_shares)), rng)
    return Story(
        mood=mood,
        emotion=_pick(parts.emotion, str(rng.choice(EMOTIONS, p=emotion_shares)), rng),
        caption=Gaussian.from_json(
            _pick(parts.caption, str(rng.choice(EMOTIONS, p=emotion_shares)), rng)
        ),
        action=photo["action"],
        intensity=photo["intensity"],
        scene=mood_of(photo["light"], photo["colour"]),
    )


def _mood(anchor: tuple[float, float], rng: np.random.Generator) -> Float64Array:
    while True:
        mood = rng.normal(anchor, EMOTION_SD)
        if ((mood >= 0) & (mood <= 1)).all():
            return np.asarray(mood)


def _fit(mood: Float64Array, places: Float64Array, sd: tuple[float, float]) -> Float64Array:
    """Return (n,) probabilities of labels at these (n, 2) places, given a mood."""
    likelihood = np.exp(-(((places - mood) / np.array(sd)) ** 2).sum(axis=1) / 2)
    return np.asarray(likelihood / likelihood.sum())


def _pick(predictions: Mapping[str, Sequence[Any]], label: str, rng: np.random.Generator) -> Any:
    return predictions[label][int(rng.integers(len(predictions[label])))]


def measure(
    stories: Sequence[Story], use: Iterable[str], reliability: Mapping[str, float] = RELIABILITY
) -> dict[str, float]:
    """Return errors, log loss in nats and the coverage of the 50 and 90 % ellipses."""
    targets = [story.target(use, reliability) for story in stories]
    off = np.array([(t.valence, t.energy) for t in targets]) - [story.mood for story in stories]
    spreads = np.array([target.spread for target in targets])
    distance = np.einsum("ni,nij,nj->n", off, np.linalg.inv(spreads), off)
    return {
        "rmse_valence": float(np.sqrt((off[:, 0] ** 2).mean())),
        "rmse_energy": float(np.sqrt((off[:, 1] ** 2).mean())),
        "log_loss": float((distance / 2 + np.log(2 * np.pi)).mean())
        + float(np.log(np.linalg.det(spreads)).mean() / 2),
        "within_50": float((distance <= HALF).mean()),
        "within_90": float((distance <= NINE_TENTHS).mean()),
    }


def ablation(parts: Parts, seed: int = 7) -> list[Report]:
    """Return a row for each of SETS: means over WORLDS and the standard deviation between them."""
    worlds = [compose(parts, STORIES, np.random.default_rng(seed + w)) for w in range(WORLDS)]
    rows = []
    for name, use in SETS.items():
        measured = [measure(world, use) for world in worlds]
        rows.append({"modalities": name} | {key: _spread(measured, key) for key in measured[0]})
    return rows


def _spread(rows: Sequence[Mapping[str, float]], key: str) -> list[float]:
    values = [row[key] for row in rows]
    return [round(float(np.mean(values)), 4), round(float(np.std(values)), 4)]


def learn(parts: Parts, stories: int = STORIES, seed: int = 7) -> dict[str, float]:
    """Return the reliabilities of the modalities with the lowest log loss."""
    composed = compose(parts, stories, np.random.default_rng(seed))
    best = dict.fromkeys(RELIABILITY, 1.0)
    for _ in range(2):
        for name in best:
            tried = [{**best, name: share} for share in SHARES]
            best = min(tried, key=lambda t: measure(composed, SETS["all"], t)["log_loss"])
    return best


def scene_relation(parts: Parts) -> list[float]:
    """Return the correlation of the scene's scores with the actions' valence and intensity."""
    photos_by_label = [
        (label, photo) for label, photos in parts.activity.items() for photo in photos
    ]
    suggested = np.array([scores(photo["light"], photo["colour"]) for _, photo in photos_by_label])
    true = [(ACTION_VALENCE[a], INTENSITY_ENERGY[ACTION_INTENSITY[a]]) for a, _ in photos_by_label]
    return [
        round(float(np.corrcoef(suggested[:, axis], np.array(true)[:, axis])[0, 1]), 3)
        for axis in (0, 1)
    ]


# --- The command ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("faces", "captions", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--cache", type=Path, help="folder for the models' predictions")
    parser.add_argument("--learn", action="store_true", help="fit the reliabilities")
    parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    given = parser.parse_args(arguments)
    parts = parts_of(given.faces, given.captions, given.photos, given.split, given.cache)
    if given.learn:
        sys.stdout.write(json.dumps(learn(parts)) + "\n")
        return 0
    rows, relation = ablation(parts), scene_relation(parts)
    result = {"n": WORLDS * STORIES, "split": given.split, "scene": relation, "rows": rows}
    sys.stdout.write(json.dumps(result) + "\n" if given.json else _text(result))
    return 0


def _text(result: Report) -> str:
    rows = [
        {k: v if k == "modalities" else f"{v[0]:.3f} ± {v[1]:.3f}" for k, v in row.items()}
        for row in result["rows"]
    ]
    head = f"{result['n']} stories of {result['split']} rows; scene {result['scene']}\n\n"
    return head + table_of(rows) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
