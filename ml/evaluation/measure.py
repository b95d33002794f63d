"""Measure a shipped model on a Parquet file.

python -m ml.evaluate {faces,emotion,action,caption,mood} --data FILE [--split NAME] [--json]

Columns by model: `image` (encoded bytes, alone or as `bytes` in a struct) and `label` for emotion
(whole photos or face crops) and action (also "none" for photos of no action, as `ml.prepare
no-action` writes them for --no-action); `text` and `label` or `labels` for caption (also CSV),
with `valence` (-1, 0 or 1, or rated, with `arousal` or `energy`), `language` and `kind` for its
mood, labels or not; labels negative, neutral and positive are sentiments; `image` and `faces`
(boxes x, y, width, height in pixels) or `n_faces` for faces; `image` and maybe `caption` for mood,
with ratings (`valence_mean` and `arousal_mean`, on any scale) or sides (`valence_side` and
`energy_side`, -1, 0 or 1).
`split` is optional; for files without a split `test`, that name means every split whose name
ends in `_test`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

import ml.action.predict as actions
import ml.caption.predict as captions
import ml.emotion.predict as emotions
from ml.analysis import analyse
from ml.calibration import conformal_sets
from ml.caption.network import Outputs
from ml.caption.network import run as run_captions
from ml.emotion.photo import emotions_of_views, view
from ml.emotion.predict import LABELLED, VOTED
from ml.evaluation.action_figures import figures
from ml.evaluation.faces import measure_faces
from ml.evaluation.metrics import PART_KEYS, report, share_of
from ml.evaluation.mood import figures as mood_figures
from ml.evaluation.tables import BadData, read, require
from ml.images import UnreadableImage, decoded
from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import ModelsMissing, entry, record
from ml.mood import Gaussian
from ml.training.action.no_action import LABEL as NO_ACTION
from ml.training.emotion.fer2013 import ferplus_majority, parts
from ml.types import Float64Array, Int64Array

BATCH = 32

Report = dict[str, Any]


def _numbers(table: pa.Table, names: Sequence[str]) -> Int64Array:
    labels = table["label"].to_pylist()
    if unknown := sorted({str(label) for label in labels} - set(names)):
        raise BadData(f"Unknown labels {', '.join(unknown)}; known are {', '.join(names)}.")
    return np.array([names.index(label) for label in labels], dtype=np.int64)


def _images(table: pa.Table) -> list[tuple[int, bytes]]:
    """Return the encoded images with their row numbers, for error messages."""
    return list(enumerate(table["image"].to_pylist()))


def _decoded(rows: Sequence[tuple[int, bytes]]) -> list[Image.Image]:
    return [decoded(encoded, f"The image of row {row}") for row, encoded in rows]


def _batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _timed(
    predict: Callable[[Sequence[Any]], Float64Array], rows: Sequence[Any], size: int
) -> tuple[Float64Array, float]:
    """Return the probabilities of all rows and the milliseconds per row without loading."""
    if not rows:
        raise BadData("There are no rows to measure.")
    predict(rows[:1])
    began = time.perf_counter()
    result = np.concatenate([predict(batch) for batch in _batches(rows, size)])
    return result, round((time.perf_counter() - began) * 1000 / len(rows), 2)


def measure_emotion(table: pa.Table) -> Report:
    """Measure the emotion network on whole photos or face crops.

    `named` has the share of rows with a named emotion and its accuracy, `sets` the coverage
    (nominally 0.9) and size of the conformal sets. Each split is reported, the rows without a copy
    among the training images, and, with votes, FER+.
    """
    require(table, "image", "label")
    labels = _numbers(table, EMOTIONS)
    answers, ms = _timed(_emotions, _images(table), BATCH)
    probabilities, votes = answers[:, LABELLED], answers[:, VOTED]
    result = emotion_report(probabilities, labels, table) | {"ms_per_item": ms}
    if "votes_nf" in table.column_names:
        result["ferplus"] = ferplus_report(probabilities, votes, table)
    return result


def ferplus_report(probabilities: Float64Array, votes: Float64Array, table: pa.Table) -> Report:
    """Return the accuracy against the voters' majority, among rows where it is one of EMOTIONS.

    `accuracy` is that of (n, 7) `votes`, what the network expects of voters; `as_label` that of
    the (n, 7) probabilities of the label; `label_agrees` how often the label itself meets it.
    """
    majority = ferplus_majority(table)
    decided = majority >= 0
    guesses = {
        "accuracy": votes.argmax(axis=1),
        "as_label": probabilities.argmax(axis=1),
        "label_agrees": _numbers(table, EMOTIONS),
    }
    return {"n": int(decided.sum())} | {
        name: share_of(guess[decided] == majority[decided]) for name, guess in guesses.items()
    }


def emotion_report(probabilities: Float64Array, labels: Int64Array, table: pa.Table) -> Report:
    """Return the figures of (n, 7) probabilities for the rows of a table and for parts of it."""
    described = entry("emotion")
    sure = probabilities.max(axis=1) >= described["threshold"]
    right = probabilities.argmax(axis=1) == labels
    inside = conformal_sets(probabilities, described["conformal"]["threshold"])
    result = report(probabilities, labels, EMOTIONS) | {
        "named": {"share": share_of(sure), "accuracy": share_of(right[sure])},
        "sets": {
            "coverage": share_of(inside[np.arange(len(labels)), labels]),
            "size": round(float(inside.sum(axis=1).mean()), 2),
        },
    }
    for name, rows in parts(table).items():
        if rows.any():
            part = report(probabilities[rows], labels[rows], EMOTIONS)
            result[name] = {key: part[key] for key in PART_KEYS}
    return result


def _emotions(rows: Sequence[tuple[int, bytes]]) -> Float64Array:
    views = [view(image) for image in _decoded(rows)]
    return emotions_of_views(views, emotions.predict_both)


def measure_action(table: pa.Table) -> Report:
    """Measure the action network on whole photos; `intensity_accuracy` is for low, medium and high.

    Rows with the label "none" show no action and count only in `none`: how many there are, and what
    share of them is tagged or named.
    """
    require(table, "image", "label")
    shown = np.array([label != NO_ACTION for label in table["label"].to_pylist()])
    if not shown.any():
        raise BadData(f"Every row is labelled {NO_ACTION}; accuracy needs photos with an action.")
    labels = np.full(len(shown), -1)
    labels[shown] = _numbers(table.filter(pa.array(shown)), ACTIONS)
    scores, ms = _timed(_action_scores, _images(table), 4)
    named = "source" in table.column_names
    sources = table["source"].to_pylist() if named else [NO_ACTION] * len(shown)
    sources = [source or NO_ACTION for source in sources]
    return figures(scores[:, :-1], scores[:, -1], labels, sources) | {"ms_per_item": ms}


def _action_scores(rows: Sequence[tuple[int, bytes]]) -> Float64Array:
    scores = actions.score(_decoded(rows))
    return np.column_stack([scores.probabilities, scores.familiarity])


def measure_caption(table: pa.Table) -> Report:
    """Measure the caption network on texts, on whatever their columns tell.

    Labels are emotions or sentiments, `valence` signs or ratings (with `arousal` or `energy`).
    """
    from ml.evaluation import caption_measure as measure

    require(table, "text")
    if not {"label", "labels", "valence"} & set(table.column_names):
        require(table, "label")
    labels, rated = measure.labels_of(table), {"arousal", "energy"} & set(table.column_names)
    sentiments = measure.are_sentiments(labels)
    if not sentiments and (unknown := measure.unknown_labels(labels)):
        raise BadData(f"Unknown labels {', '.join(unknown)}; known are those of GoEmotions.")
    if not any(labels) and "valence" not in table.column_names:
        raise BadData("There are no rows to measure.")
    texts = [text or "" for text in table["text"].to_pylist()]
    numbers, ms = _timed(_caption_outputs, texts, 8)
    said = Outputs.split(numbers)
    moods = captions.moods_of(said, texts)
    result: Report = {"n": table.num_rows}
    if sentiments:
        result |= measure.measure_sentiment(captions.sentiment_of(said), table)
    elif any(labels):
        result |= measure.measure_labels(captions.fine_of(said), labels)
    if rated:
        result["ratings"] = measure.measure_ratings(moods, table)
    if "valence" in table.column_names and "arousal" not in rated:
        result["signs"] = measure.measure_signs(moods, table)
    return result | {"ms_per_item": ms}


def _caption_outputs(texts: Sequence[str]) -> Float64Array:
    return np.hstack(run_captions(texts))


def _faces(table: pa.Table) -> Report:
    require(table, "image")
    if not {"faces", "n_faces"} & set(table.column_names):
        raise BadData("Faces need a column `faces` (lists of boxes) or `n_faces` (counts).")
    return measure_faces(table)


def measure_mood(table: pa.Table) -> Report:
    """Measure the whole analysis of photos and captions against ratings or sides of the mood."""
    rated = {"valence_mean", "arousal_mean"} <= set(table.column_names)
    require(table, "image", *(() if rated else ("valence_side", "energy_side")))
    words = table["caption"].to_pylist() if "caption" in table.column_names else [""] * len(table)
    stories = [(*one, caption or "") for one, caption in zip(_images(table), words, strict=True)]
    ratings = mood_figures.ratings_of(table) if rated else None
    sided = {"valence_side", "energy_side"} <= set(table.column_names)
    sides = mood_figures.sides_of(table) if sided else None
    found, ms = _timed(_moods, stories, 1)
    moods = [Gaussian(row[:2], row[2:].reshape(2, 2)) for row in found]
    result: Report = {"n": len(moods), "ms_per_item": ms}
    if ratings is not None:
        result |= mood_figures.rating_figures(moods, ratings)
    if sides is not None:
        result |= mood_figures.side_figures(moods, sides)
    return result


def _moods(stories: Sequence[tuple[int, bytes, str]]) -> Float64Array:
    rows = []
    for row, encoded, caption in stories:
        (photo,) = _decoded([(row, encoded)])
        mood = analyse(photo, caption).mood
        rows.append([mood.valence, mood.energy, *np.ravel(mood.spread)])
    return np.array(rows)


MEASURES: dict[str, Callable[[pa.Table], Report]] = {
    "faces": _faces,
    "emotion": measure_emotion,
    "action": measure_action,
    "caption": measure_caption,
    "mood": measure_mood,
}


def _with(table: pa.Table, no_action: Path | None) -> pa.Table:
    """Return the table with the `test` part of a file of `ml.prepare no-action` appended."""
    if no_action is None:
        return table
    require(table, "image", "label")
    more = read(no_action, "test").select(["image", "label", "source"])
    return pa.concat_tables([table.select(["image", "label"]), more], promote_options="permissive")


def _emotion_card(table: pa.Table, result: Report) -> None:
    from ml.evaluation import emotion_card

    emotion_card.write(table, result)


def _action_card(table: pa.Table, result: Report) -> None:
    from ml.evaluation import action_card

    action_card.write(table, result)


def _caption_card(table: pa.Table, result: Report) -> None:
    from ml.evaluation import caption_card

    caption_card.write(table, result)


CARDS = {"emotion": _emotion_card, "action": _action_card, "caption": _caption_card}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", choices=MEASURES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split")
    parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    parser.add_argument("--record", action="store_true", help="write the figures to the manifest")
    parser.add_argument("--card", action="store_true", help="write the model's card (minutes)")
    parser.add_argument(
        "--no-action", "--none", type=Path, help="photos of no action, measured with those of one"
    )
    given = parser.parse_args(arguments)
    if given.model == "mood" and (given.record or given.card):
        parser.error("mood is no model with figures of its own: see ml.evaluation.mood.cards.")
    try:
        table = _with(read(given.data, given.split), given.no_action)
        result = MEASURES[given.model](table)
    except (BadData, ModelsMissing, UnreadableImage) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if given.record or given.card:
        record(given.model, given.data.name, given.split, result)
    if given.card and given.model in CARDS:
        CARDS[given.model](table, result)
    sys.stdout.write(json.dumps(result) + "\n" if given.json else _lines(result))
    return 0


def _lines(result: Report) -> str:
    tables = ("confusion", "reliability")
    return "".join(f"{key:>18}  {value}\n" for key, value in result.items() if key not in tables)


if __name__ == "__main__":
    raise SystemExit(main())
