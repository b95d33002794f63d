"""Train the caption network on GoEmotions and "emotion", calibrate it and publish it.

KERAS_BACKEND=torch python -m ml.training.caption.train \\
    --data goemotions.parquet emotion6.parquet \\
    --norms nrc_vad.parquet --cache FOLDER
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow.parquet as pq
from keras import ops
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from ml.caption.encoder import embed
from ml.caption.labels import FINE, TO_SEVEN
from ml.caption.pool import pooled
from ml.caption.text import Hashes
from ml.caption.words import ids_of, padded
from ml.evaluation.metrics import multilabel_f1
from ml.labels import EMOTIONS
from ml.manifest import FOLDER, publish
from ml.training.caption import irony, logistic
from ml.training.caption.anchors import fine_anchors
from ml.training.caption.data import Captions, Collection, languages_of, read, vocabulary, written
from ml.training.caption.labels import TO_EIGHT
from ml.training.caption.model import (
    SEED,
    NetworkConfig,
    WordDropout,
    as_ensemble,
    build_sentence,
    build_words,
    join,
)
from ml.training.curves import plot
from ml.types import Float32Array, Float64Array

log = logging.getLogger(__name__)

Logits = tuple[Float32Array, Float32Array, Float32Array]
"""Logits of the sentence (n, 28) and of the words (n, 28), and trust in the words (n,)."""

VERSION = "4.0.0"
CARD = FOLDER / "caption"

MIN_COUNT = 3
"""Minimum number of training texts that contain a word of the vocabulary."""

LEARNING, DEVELOPMENT = (irony.WRITTEN / f"{name}.csv" for name in ("learning", "development"))
ENGLISH = "en"  # the language of both collections
OWN = 3.0
"""Weight of a caption of LEARNING: they are few, but in many languages."""

TRUSTED = 5000
"""Texts per file that the trust in the words is fitted on."""

ENSEMBLE = 5
"""Size of the ensemble that reads a sentence; its members differ by their random seed."""

OF_SENTENCE = NetworkConfig(
    hidden=256, dropout=0.4, noise=0.3, rate=1.5e-3, decay=0.1, epochs=8, batch=256
)
OF_WORDS = NetworkConfig(hidden=96, dropout=0.4, word_dropout=0.3, rate=3e-3, decay=0.02, epochs=5)


def loss(targets: Any, logits: Any) -> Any:
    """Return (n,) cross-entropies of the coarse labels and, where known, of the fine ones.

    `targets` (n, 36) are the fine shares (28), zero where unknown, and the coarse ones (8); the
    probability of a coarse emotion is the sum of its fine ones.
    """
    fine, eight = targets[:, : len(FINE)], targets[:, len(FINE) :]
    coarse = ops.log(ops.matmul(ops.softmax(logits), ops.convert_to_tensor(TO_EIGHT)) + 1e-7)
    return -ops.sum(eight * coarse, -1) - 0.5 * ops.sum(fine * ops.log_softmax(logits), -1)


def class_weights(eight: Float32Array) -> Float32Array:
    """Return (n,) weights by the square root of how rare a row's emotions are, mean one.

    Disgust is one text in fifty: without weights it would never be predicted, with inverse
    frequencies too often.
    """
    weights = eight @ (1 / np.sqrt(eight.mean(axis=0) + 1e-3))
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def shift_language(
    sentence: Float32Array, apart: Float32Array, random: np.random.Generator
) -> Float32Array:
    """Return (n, width) embeddings of English texts, shifted to other languages at random.

    `apart` (languages, width) is the offset of captions in other languages from English ones:
    each row is moved by one of them or not at all, so the network learns to ignore the language.
    """
    moved = np.vstack([np.zeros((len(apart), apart.shape[1]), dtype=np.float32), apart])
    return sentence + moved[random.integers(0, len(moved), len(sentence))]


def language_offsets(own: Captions, languages: Sequence[str], least: int = 40) -> Float32Array:
    """Return (languages, width) by how much the mean of each language differs from English's.

    Of the languages that have `least` captions; the captions say about the same in all of them.
    """
    names = np.array(languages)
    means = {
        name: own.sentence[names == name].mean(axis=0)
        for name in sorted(set(languages))
        if (names == name).sum() >= least
    }
    return np.stack([mean - means[ENGLISH] for name, mean in means.items() if name != ENGLISH])


def fit_sentence(sets: Sequence[Collection], own: Captions, apart: Float32Array) -> keras.Model:
    """Return the half that reads embeddings, trained on the texts that have one, in English and
    `shift_language`, and on `own`."""
    parts = [*(_encoded(each.training) for each in sets), own]
    english = np.concatenate([part.sentence for part in parts[:-1]])
    batch = OF_SENTENCE.batch
    targets = _targets(parts)
    weights = np.append(_weights(parts[:-1]), np.full(len(own), OWN, dtype=np.float32))
    members = []
    for k in range(ENSEMBLE):
        keras.utils.set_random_seed(SEED + k)
        random = np.random.default_rng(SEED + k)
        sentence = np.concatenate([shift_language(english, apart, random), own.sentence])
        model = build_sentence(sentence.shape[1], len(FINE), OF_SENTENCE)
        model.get_layer("scale").adapt(sentence)
        _compile(model, OF_SENTENCE, -(-len(sentence) // batch))
        model.fit(sentence, targets, batch, OF_SENTENCE.epochs, sample_weight=weights, verbose=0)
        members.append(model)
    return as_ensemble(members, OF_SENTENCE)


def fit_words(sets: Sequence[Collection], known: Hashes) -> tuple[keras.Model, list[float]]:
    """Return the half that reads words, trained on all texts, and its loss in every epoch."""
    parts = [each.training for each in sets]
    words = [ids_of(row, known) for part in parts for row in part.words]
    keras.utils.set_random_seed(SEED)
    model = build_words(len(known), len(FINE), OF_WORDS)
    batches = WordDropout(words, _targets(parts), _weights(parts), OF_WORDS)
    _compile(model, OF_WORDS, len(batches))
    fitted = model.fit(batches, epochs=OF_WORDS.epochs, verbose=2)
    bare = build_words(len(known), len(FINE), OF_WORDS)
    bare.set_weights(model.get_weights())
    return bare, [float(each) for each in fitted.history["loss"]]


def _compile(model: keras.Model, config: NetworkConfig, steps: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        config.rate / 20,
        (config.epochs - 1) * steps,
        warmup_target=config.rate,
        warmup_steps=steps,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.decay, clipnorm=1.0)
    model.compile(optimizer, loss, jit_compile=False)  # every new length would be compiled


def _encoded(captions: Captions) -> Captions:
    rows = np.flatnonzero(np.isfinite(captions.sentence[:, 0])).tolist()
    words = [captions.words[row] for row in rows]
    return Captions(captions.sentence[rows], words, captions.fine[rows], captions.eight[rows])


def _targets(parts: Sequence[Captions]) -> Float32Array:
    return np.concatenate([np.hstack([part.fine, part.eight]) for part in parts])


def _weights(parts: Sequence[Captions]) -> Float32Array:
    """Return the weights of texts; those of "emotion", a third as many, count twice."""
    twice = [1.0 if part.fine.any() else 2.0 for part in parts]
    return np.concatenate(
        [class_weights(part.eight) * weight for part, weight in zip(parts, twice, strict=True)]
    )


def learn_irony(model: keras.Model) -> None:
    """Fit the irony of a joined network on the captions that we wrote."""
    texts, ironic = irony.ironic_captions()
    _fit_output(model, "irony", embed(texts), ironic, prior=irony.PRIOR, penalty=100)


def learn_trust(model: keras.Model, sets: Sequence[Collection], own: Captions) -> None:
    """Fit the trust in the words: whether a text is one of the files', as opposed to a caption."""
    parts = [_encoded(each.training).sentence[:TRUSTED] for each in sets]
    theirs = np.concatenate(parts)
    both = np.concatenate([theirs, own.sentence])
    # Most of what is read are captions: one comment in ten had less log loss on the validation
    # rows and the development captions than one in two.
    is_theirs = np.repeat([1.0, 0.0], [len(theirs), len(own)])
    _fit_output(model, "trust", both, is_theirs, prior=0.1, penalty=1000)


def _fit_output(
    model: keras.Model, name: str, sentence: Float32Array, yes: Float64Array, **how: float
) -> None:
    scaled = ops.convert_to_numpy(model.get_layer("scale")(sentence))
    weights, bias = logistic.fit(scaled.astype(np.float64), yes, **how)
    model.get_layer(name).set_weights([weights[:, None], np.array([bias])])


def logits_of(model: keras.Model, captions: Captions, known: Hashes) -> Logits:
    """Return the (n, 28) logits of both halves and the trust (n,) in the second."""
    words = padded([ids_of(row, known) for row in captions.words])
    said = model.predict([captions.sentence, words], batch_size=256, verbose=0)
    return said[:, : len(FINE)], said[:, len(FINE) : 2 * len(FINE)], expit(said[:, -1])


def pool_of(said: Sequence[Logits], parts: Sequence[Captions]) -> list[float]:
    """Return the weights of `ml.caption.pool`: those with the least log loss of the coarse labels,
    each file's mean counting the same."""

    def loss_of(weights: ArrayLike) -> float:
        return coarse_loss(said, parts, np.asarray(weights).tolist())

    found = minimize(loss_of, (0.5, 0.6, 0.8), method="Nelder-Mead", options={"xatol": 0.005})
    return [round(float(weight), 2) for weight in found.x]


def coarse_loss(
    said: Sequence[Logits], parts: Sequence[Captions], weights: Sequence[float]
) -> float:
    """Return the mean over the files of the log loss of the eight coarse emotions."""
    losses = []
    for (sentence, words, trust), part in zip(said, parts, strict=True):
        eight = pooled(sentence, words, weights, trust) @ TO_EIGHT
        losses.append(-(part.eight * np.log(eight + 1e-12)).sum(axis=1).mean())
    return float(np.mean(losses))


def thresholds_of(shares: Float64Array, present: NDArray[np.bool_]) -> list[float]:
    """Return for each of the seven emotions from which share on a text is said to have it.

    The share with the best F1 on these (n, 7) rows: GoEmotions has several labels to a text.
    """
    candidates = np.arange(0.05, 0.7, 0.01)
    scores = [multilabel_f1(shares, present, np.full(len(EMOTIONS), t)) for t in candidates]
    return [round(float(candidates[k]), 2) for k in np.argmax(scores, axis=0)]


def train(data: Sequence[Path], norms: Path, cache: Path, encoded: Sequence[int | None]) -> None:
    """Train both halves; fit their weights and the thresholds on validation splits; ship them."""
    sets = [read(file, cache, encoded=n) for file, n in zip(data, encoded, strict=True)]
    own, by_hand = written(LEARNING), written(DEVELOPMENT)
    apart = language_offsets(own, languages_of(LEARNING))
    parts = [*(each.validation for each in sets), by_hand]
    known = vocabulary([row for each in sets for row in each.training.words], MIN_COUNT)
    of_words, losses = fit_words(sets, known)
    model = join(fit_sentence(sets, own, apart), of_words)
    learn_irony(model)
    learn_trust(model, sets, own)
    said = [logits_of(model, part, known) for part in parts]
    weights = pool_of(said, parts)
    fine = [pooled(sentence, words, weights, trust) for sentence, words, trust in said]
    labelled = next(k for k, part in enumerate(parts) if part.fine.any())
    seven = parts[labelled].fine @ TO_SEVEN > 0
    words = {
        row["word"]: (row["valence"], row["arousal"]) for row in pq.read_table(norms).to_pylist()
    }
    described = {
        "version": VERSION,
        "classes": list(EMOTIONS),
        "data": "GoEmotions and emotion; embeddings of two sentence encoders beside words",
        "trained_on": sum(len(each.training) for each in sets) + len(own),
        "encoded": sum(len(_encoded(each.training)) for each in sets) + len(own),
        "validation": {
            each.name: {"n": len(each.validation), "accuracy": _accuracy(rows, each.validation)}
            for each, rows in zip(sets, fine, strict=False)  # the last are those by hand
        },
        "pool": weights,
        "thresholds": dict(
            zip(EMOTIONS, thresholds_of(fine[labelled] @ TO_SEVEN, seven), strict=True)
        ),
        "anchors": {name: list(place) for name, place in fine_anchors(words).items()},
    }
    model.save(cache / "caption.keras")
    np.save(cache / "words.npy", known)
    publish("caption", cache / "caption.keras", described, {"words": cache / "words.npy"})
    plot({"training loss": losses}, CARD / "curves.png", "Caption network, words")
    log.info("%s", described)


def _accuracy(fine: Float64Array, captions: Captions) -> float:
    """Return how often the likeliest of the eight coarse emotions is right, of texts with one."""
    eight = captions.eight
    single = eight.max(axis=1) == 1
    right = (fine @ TO_EIGHT).argmax(axis=1) == eight.argmax(axis=1)
    return round(float(right[single].mean()), 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--norms", type=Path, required=True, help="nrc_vad.parquet")
    parser.add_argument("--cache", type=Path, required=True, help="folder for embeddings")
    parser.add_argument(
        "--encoded",
        type=int,
        nargs="+",
        help="only so many texts of each file; all take half an hour",
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    encoded = given.encoded or [None] * len(given.data)
    train(given.data, given.norms, given.cache, encoded)


if __name__ == "__main__":
    main()
