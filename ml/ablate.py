"""Measure what each modality adds to the mood, on stories composed of labelled parts.

python -m ml.ablate --faces fer2013.parquet --captions goemotions.parquet --photos har.parquet
    [--split test] [--cache FOLDER] [--learn] [--json]

No data set says what mood a story has, so stories are composed: an emotion is drawn, then a mood
from the distribution that the study behind EMOTION_ANCHORS gives for it; a face, a caption and a
photo of an action follow, each of a label drawn by how well it fits that mood. The face, the words
and the photo themselves are held-out rows of their data sets and are read by the shipped models.
`--learn` finds the reliabilities of the modalities on `--split val` instead.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from ml.cards import table_of
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
    combine,
    evidence,
)
from ml.scene import look, mood_of, scores

Floats = NDArray[np.float64]
Report = dict[str, Any]

PER_LABEL = 30
"""Held-out rows of each label that are read; stories draw from them."""

WORLDS, STORIES = 5, 1_000
SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
HALF, NINE_TENTHS = 2 * np.log(2), 2 * np.log(10)
"""Squared Mahalanobis distances within which that much of a two-dimensional Gaussian lies."""

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
}


@dataclass(frozen=True)
class Parts:
    """What the models say of held-out rows, as plain JSON by the label of the row."""

    emotion: Mapping[str, Sequence[Any]]
    caption: Mapping[str, Sequence[Any]]
    activity: Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Story:
    """A mood (valence, energy) that was drawn, and what the models say of the parts chosen."""

    mood: Floats
    emotion: Mapping[str, float]
    caption: Gaussian
    action: Mapping[str, float]
    intensity: Mapping[str, float]
    scene: Gaussian

    def target(self, use: Iterable[str], reliability: Mapping[str, float]) -> MoodTarget:
        """Return the mood that the modalities named in `use` give."""
        said = self.evidence(reliability)
        chosen = [one for name, one in said.items() if name in use]
        return combine(chosen, self.scene if "scene" in use else MUSIC)

    def evidence(self, reliability: Mapping[str, float]) -> dict[str, Evidence]:
        return evidence(
            emotion=self.emotion,
            caption=self.caption,
            action=self.action,
            intensity=self.intensity,
            reliability=reliability,
        )


# --- Reading the parts ----------------------------------------------------------------------------


def read_faces(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    from ml.emotion.photo import emotions_of_images

    if split == "val":  # FER-2013 has none; this is the one that the network was chosen on
        from ml.emotion.data import read_training

        _, held_out = read_training(path, seed=7)
        rows = [
            (Image.fromarray(image), EMOTIONS[label])
            for image, label in zip(held_out.images, held_out.labels, strict=True)
        ]
    else:
        rows = [(_opened(image), label) for image, label in _rows(path, "image", split)]
    return _by_label(_few(rows, rng), lambda faces: _named(EMOTIONS, emotions_of_images(faces)))


def read_captions(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    from ml.caption.data import texts_and_targets
    from ml.caption.predict import read

    table = pq.read_table(path)
    names = {"val": ("val", "dev"), "test": ("test",)}[split]
    table = table.take(np.flatnonzero(np.isin(table["split"].to_pylist(), names)))
    texts, targets = texts_and_targets(table)
    rows = [
        (text, EMOTIONS[int(target.argmax())])
        for text, target in zip(texts, targets, strict=True)
        if target.max() == 1
    ]
    return _by_label(_few(rows, rng), lambda w: [reading.mood.to_json() for reading in read(w)])


def read_photos(path: Path, split: str, rng: np.random.Generator) -> dict[str, list[Any]]:
    from ml.action.predict import recognise
    from ml.intensity import intensity_of

    def of(photos: Sequence[Image.Image]) -> list[Any]:
        actions = [recognise(photo)[0] for photo in photos]
        return [
            {
                "action": action,
                "intensity": intensity_of(action),
                "light": scene.light,
                "colour": scene.colour,
            }
            for action, scene in zip(actions, map(look, photos), strict=True)
        ]

    rows = [(_opened(image), label) for image, label in _rows(path, "image", split)]
    return _by_label(_few(rows, rng), of)


def _rows(path: Path, column: str, split: str) -> list[tuple[Any, str]]:
    table = pq.read_table(path, columns=[column, "label", "split"]).to_pydict()
    return [
        (value, label)
        for value, label, part in zip(table[column], table["label"], table["split"], strict=True)
        if part == split or part.endswith(f"_{split}")
    ]


def _few(rows: Sequence[tuple[Any, str]], rng: np.random.Generator) -> list[tuple[Any, str]]:
    taken: dict[str, list[tuple[Any, str]]] = {}
    for place in rng.permutation(len(rows)):
        same = taken.setdefault(rows[place][1], [])
        if len(same) < PER_LABEL:
            same.append(rows[place])
    return [row for rows_of in taken.values() for row in rows_of]


def _by_label(
    rows: Sequence[tuple[Any, str]], read: Callable[[list[Any]], Sequence[Any]]
) -> dict[str, list[Any]]:
    said: dict[str, list[Any]] = {}
    for (_, label), one in zip(rows, read([item for item, _ in rows]), strict=True):
        said.setdefault(label, []).append(one)
    return said


def _named(names: Sequence[str], rows: Floats) -> list[dict[str, float]]:
    return [{n: float(p) for n, p in zip(names, row, strict=True)} for row in rows]


def _opened(encoded: bytes) -> Image.Image:
    return Image.open(io.BytesIO(encoded)).convert("RGB")


# --- Composing and measuring ----------------------------------------------------------------------


def compose(parts: Parts, count: int, rng: np.random.Generator) -> list[Story]:
    """Return that many stories."""
    return [_story(parts, rng) for _ in range(count)]


def _story(parts: Parts, rng: np.random.Generator) -> Story:
    mood = _mood(EMOTION_ANCHORS[str(rng.choice(EMOTIONS))], rng)
    feeling = _fit(mood, np.array([EMOTION_ANCHORS[name] for name in EMOTIONS]), EMOTION_SD)
    doing = _fit(
        mood,
        np.array([(ACTION_VALENCE[a], INTENSITY_ENERGY[ACTION_INTENSITY[a]]) for a in ACTIONS]),
        (ACTION_VALENCE_SD, INTENSITY_SD),
    )
    photo = _pick(parts.activity, str(rng.choice(ACTIONS, p=doing)), rng)
    return Story(
        mood=mood,
        emotion=_pick(parts.emotion, str(rng.choice(EMOTIONS, p=feeling)), rng),
        caption=Gaussian.from_json(_pick(parts.caption, str(rng.choice(EMOTIONS, p=feeling)), rng)),
        action=photo["action"],
        intensity=photo["intensity"],
        scene=mood_of(photo["light"], photo["colour"]),
    )


def _mood(anchor: tuple[float, float], rng: np.random.Generator) -> Floats:
    while True:
        mood = rng.normal(anchor, EMOTION_SD)
        if ((mood >= 0) & (mood <= 1)).all():
            return np.asarray(mood)


def _fit(mood: Floats, places: Floats, sd: tuple[float, float]) -> Floats:
    """Return (n,) probabilities of labels at these (n, 2) places, given a mood."""
    likelihood = np.exp(-(((places - mood) / np.array(sd)) ** 2).sum(axis=1) / 2)
    return np.asarray(likelihood / likelihood.sum())


def _pick(said: Mapping[str, Sequence[Any]], label: str, rng: np.random.Generator) -> Any:
    return said[label][int(rng.integers(len(said[label])))]


def measure(
    stories: Sequence[Story], use: Iterable[str], reliability: Mapping[str, float] = RELIABILITY
) -> dict[str, float]:
    """Return errors, log loss in nats and how often the mood lies in the 50 and 90 % ellipses."""
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
        each = [measure(world, use) for world in worlds]
        rows.append({"modalities": name} | {key: _spread(each, key) for key in each[0]})
    return rows


def _spread(each: Sequence[Mapping[str, float]], key: str) -> list[float]:
    values = [one[key] for one in each]
    return [round(float(np.mean(values)), 4), round(float(np.std(values)), 4)]


def learn(parts: Parts, stories: int = STORIES, seed: int = 7) -> dict[str, float]:
    """Return the shares of the modalities' precision with the least log loss."""
    composed = compose(parts, stories, np.random.default_rng(seed))
    best = dict.fromkeys(RELIABILITY, 1.0)
    for _ in range(2):
        for name in best:
            tried = [{**best, name: share} for share in SHARES]
            best = min(tried, key=lambda t: measure(composed, SETS["all"], t)["log_loss"])
    return best


def scene_relation(parts: Parts) -> list[float]:
    """Return how the scene's two scores correlate with how pleasant and intense actions are."""
    seen = [(label, photo) for label, photos in parts.activity.items() for photo in photos]
    said = np.array([scores(photo["light"], photo["colour"]) for _, photo in seen])
    true = [(ACTION_VALENCE[a], INTENSITY_ENERGY[ACTION_INTENSITY[a]]) for a, _ in seen]
    return [
        round(float(np.corrcoef(said[:, axis], np.array(true)[:, axis])[0, 1]), 3)
        for axis in (0, 1)
    ]


# --- The command ----------------------------------------------------------------------------------


def parts_of(
    faces: Path, captions: Path, photos: Path, split: str, cache: Path | None = None
) -> Parts:
    """Return what the models say of up to PER_LABEL rows of each label; minutes without a cache."""
    file = cache / f"parts-{split}.json" if cache else None
    if file and file.is_file():
        return Parts(**json.loads(file.read_text()))
    said = {
        "emotion": read_faces(faces, split, np.random.default_rng(7)),
        "caption": read_captions(captions, split, np.random.default_rng(7)),
        "activity": read_photos(photos, split, np.random.default_rng(7)),
    }
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(said))
    return Parts(**said)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("faces", "captions", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--cache", type=Path, help="folder that keeps what the models say")
    parser.add_argument("--learn", action="store_true", help="find the reliabilities")
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
