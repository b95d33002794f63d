"""Tune the encoder on all collections and our own captions, resumably.

KERAS_BACKEND=torch python -m ml.training.caption.train --data FOLDER --work FOLDER

`--data` holds goemotions, emotion6, emobank, umsab, xed, tweets_sentiment, tweets_irony and
tweets_emoji as Parquet. The state is kept in `--work` after every epoch (some minutes on two
cores): the same command goes on from there. `ml.training.caption.publish` ships the result.
"""

import argparse
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.networks import import_keras
from ml.training.caption import encoder, model
from ml.training.caption.batches import Batches
from ml.training.caption.data import Part, read, without, written

log = logging.getLogger(__name__)

SEED = 7


@dataclass(frozen=True)
class Round:
    passes: Mapping[str, float]
    """How often each row of a collection is seen."""
    rate: float
    """Highest learning rate; it rises for a twentieth of the steps, then falls with a cosine."""
    epochs: int
    """Parts after which the state is kept; no collection is seen whole in one."""
    scheduled: int
    """Parts that the fall of the rate was laid out for: the last may be left out."""
    frozen: int
    """Blocks of the encoder that stay as they are."""
    share: float
    """Share of this round in the weights; the rest is what it started from. The average reads
    captions better than either, and what the round has learned stays (WiSE-FT: Wortsman et al.
    2022)."""


ROUNDS = (
    # Our own captions most, because they are what will be read. A ninth part made the network
    # surer of the development captions, and no better.
    Round(
        {
            "learning": 6.3,
            "goemotions": 1.0,
            "emotion6": 0.9,
            "emobank": 1.7,
            "umsab": 1.3,
            "tweets_sentiment": 1.7,
            "tweets_irony": 1.5,
            "tweets_emoji": 0.1,
            "xed": 0.3,
        },
        rate=2.5e-4,
        epochs=8,
        scheduled=9,
        frozen=6,
        share=1.0,
    ),
    # Then more of what others wrote: the first round learns our captions by heart sooner than it
    # learns how people elsewhere name what they feel.
    Round(
        {
            "learning": 1.5,
            "goemotions": 1.5,
            "emotion6": 4.0,
            "emobank": 1.5,
            "umsab": 1.3,
            "tweets_sentiment": 1.0,
            "tweets_irony": 1.0,
            "tweets_emoji": 0.05,
            "xed": 0.1,
        },
        rate=1.5e-4,
        epochs=6,
        scheduled=6,
        frozen=6,
        share=0.75,
    ),
    # Then all blocks: six are too few to learn what the words of many languages mean together.
    Round(
        {
            "learning": 4.0,
            "goemotions": 1.2,
            "emotion6": 2.0,
            "emobank": 2.5,
            "umsab": 2.0,
            "tweets_sentiment": 1.2,
            "tweets_irony": 0.8,
            "tweets_emoji": 0.04,
            "xed": 0.1,
        },
        rate=1e-4,
        epochs=5,
        scheduled=5,
        frozen=0,
        share=0.5,
    ),
)

SPLITS = {"tweets_sentiment": ("val",)}  # its test part overlaps UMSAB's


def training_parts(folder: Path) -> list[Part]:
    """Return the training rows of all collections, without texts that are measured with."""
    random = np.random.default_rng(SEED)
    held_out = [*written("development").texts, *_texts_of_tests(folder)]
    parts = [read(folder, n, SPLITS.get(n, ("train",)), random) for n in list(ROUNDS[0].passes)[1:]]
    return [without(part, held_out) for part in (written("learning"), *parts)]


def _texts_of_tests(folder: Path) -> list[str]:
    texts: list[str] = []
    for name in ("goemotions", "emotion6", "emobank", "umsab"):
        table = pq.read_table(folder / f"{name}.parquet", columns=["text", "split"])
        texts += [row["text"] for row in table.to_pylist() if row["split"] != "train"]
    return texts


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Note the losses, and how the development captions are read, after every epoch."""

    def __init__(self, file: Path, development: Part) -> None:
        super().__init__()
        self.file, self.batches = file, Batches([development], [1])
        self.mood = development.targets["mood"]

    def on_epoch_begin(self, *_: Any) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        said = model.predict(self.model, self.batches)["mood"]
        line = {
            "epoch": epoch + 1,
            "seconds": round(time.monotonic() - self.began),
            **{name: round(float(value), 4) for name, value in (logs or {}).items()},
            **sides(said, self.mood),
        }
        with self.file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        log.info("%s", line)


def sides(said: NDArray[Any], mood: NDArray[Any]) -> dict[str, float]:
    """Return how often the valence is on the right side, and how often wrong by more than its sd,
    of captions that have a side."""
    mean, sd = 1 / (1 + np.exp(-said[:, 0])), np.exp(said[:, 2])
    counted = np.abs(mood[:, 0] - 0.5) > 0.05
    wrong = (mean > 0.5) != (mood[:, 0] > 0.5)
    misled = wrong & (np.abs(mean - 0.5) > sd)
    each = {"right": ~wrong, "misled": misled}
    return {name: round(float(is_so[counted].mean()), 4) for name, is_so in each.items()}


def train(folder: Path, work: Path) -> Path:
    """Train all rounds and return the file of the last one's weights.

    A round whose weights are in `work` is not trained again.
    """
    parts = training_parts(folder)
    for part in parts:
        log.info("%s: %d rows", part.name, len(part))
    before: Path | None = None
    for number, each in enumerate(ROUNDS, start=1):
        tuned = work / f"round{number}.weights.h5"
        if not tuned.exists():
            network = _round(each, parts, work / f"round{number}", before)
            if before is not None:
                mix(network, before, each.share)
            network.save_weights(tuned)
        before = tuned
    return work / f"round{len(ROUNDS)}.weights.h5"


def mix(network: keras.Model, before: Path, share: float) -> None:
    """Set the weights to averages with those of a file, `share` of the network's own."""
    own = network.get_weights()
    network.load_weights(before)
    earlier = network.get_weights()
    network.set_weights(
        [share * new + (1 - share) * old for new, old in zip(own, earlier, strict=True)]
    )


def _round(each: Round, parts: Sequence[Part], work: Path, before: Path | None) -> keras.Model:
    work.mkdir(exist_ok=True)
    start = _epochs_done(work)
    random = np.random.default_rng([SEED, start])
    shares = [each.passes[part.name] / each.epochs for part in parts]
    batches = Batches(parts, shares, random=random)
    keras.utils.set_random_seed(SEED + start)
    network = compiled(each, len(batches) * each.scheduled, before)
    network.fit(
        batches,
        epochs=each.epochs,
        verbose=0,
        callbacks=[
            Progress(work / "progress.jsonl", written("development")),
            keras.callbacks.BackupAndRestore(work / "state", delete_checkpoint=False),
        ],
    )
    network.optimizer.finalize_variable_values(network.trainable_variables)
    return network


def compiled(each: Round, steps: int, before: Path | None = None) -> keras.Model:
    """Return the network ready to be tuned for so many steps, from the weights of the round
    before or else of the package."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = model.build()
    if before is None:
        encoder.load_weights(network)
    else:
        network.load_weights(before)
    model.freeze(network, each.frozen)
    schedule = keras.optimizers.schedules.CosineDecay(
        each.rate / 20,
        round(0.95 * steps),
        warmup_target=each.rate,
        warmup_steps=round(0.05 * steps),
    )
    network.compile(
        keras.optimizers.AdamW(
            schedule,
            weight_decay=0.01,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=0.995,
            ema_overwrite_frequency=None,
        ),
        model.LOSSES,
        model.LOSS_WEIGHTS,
        jit_compile=False,  # every new length would be compiled
    )
    return network


def _epochs_done(work: Path) -> int:
    file = work / "progress.jsonl"
    return len(file.read_text().splitlines()) if file.exists() else 0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.work.mkdir(parents=True, exist_ok=True)
    import_keras()
    train(given.data, given.work)


if __name__ == "__main__":
    main()
