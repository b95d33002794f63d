"""The caption network: the encoder and a linear layer for each task, with their losses."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from ml.caption.labels import FINE
from ml.training.caption import encoder
from ml.training.caption.data import TARGETS, XED
from ml.training.caption.labels import TO_EIGHT

OUTPUTS = {
    "emotion": len(FINE),
    "mood": 5,
    "sentiment": 3,
    "irony": 1,
    "emoji": TARGETS["emoji"],
    "spoken": len(XED),
}
"""Sizes of the layers on the features. The mood's five numbers are those of `gaussians`."""

LOSS_WEIGHTS = {
    "emotion": 1.0,
    "mood": 1.5,
    "rating": 0.5,
    "sentiment": 0.7,
    "irony": 0.5,
    "emoji": 0.3,
    "spoken": 0.3,
}


def build(**size: Any) -> keras.Model:
    """Return a network from embeddings and mask to the outputs by task; arguments as the encoder's.

    EmoBank's ratings are linear in what gives the mood: people who rate sentences and music use
    their scales differently, but mean the same.
    """
    encoded = encoder.build(**size)
    features = layers.Dropout(0.1, dtype="float32")(encoded.output)
    outputs = {
        name: layers.Dense(wide, dtype="float32", name=name)(features)
        for name, wide in OUTPUTS.items()
    }
    outputs["rating"] = layers.Dense(
        2, kernel_initializer=keras.initializers.Identity(), dtype="float32", name="rating"
    )(outputs["mood"][:, :2])
    return keras.Model(encoded.inputs, outputs, name="caption")


def freeze(model: keras.Model, blocks: int) -> None:
    """Keep the first blocks and the normalisation before them as they are."""
    for name in ("norm", *(f"block{n}" for n in range(blocks))):
        model.get_layer(name).trainable = False


def emotion_loss(targets: Any, logits: Any) -> Any:
    """Return (n,) cross-entropies of the coarse labels and, where known, of the fine ones.

    `targets` (n, 36) are the fine shares (28), zero where unknown, and the coarse ones (8); the
    probability of a coarse emotion is the sum of its fine ones.
    """
    fine, eight = targets[:, : len(FINE)], targets[:, len(FINE) :]
    coarse = ops.log(ops.matmul(ops.softmax(logits), ops.convert_to_tensor(TO_EIGHT)) + 1e-7)
    return -ops.sum(eight * coarse, -1) - 0.5 * ops.sum(fine * ops.log_softmax(logits), -1)


def mood_loss(targets: Any, said: Any) -> Any:
    """Return (n,) negative log likelihoods of (n, 2) valence and energy.

    Each is weighted by the square root of the predicted variance (beta-NLL, Seitzer et al. 2022),
    so that captions that are hard to rate are learned from too.
    """
    sd = ops.exp(ops.clip(said[:, 2:4], -3.5, 0.0))
    correlation = 0.95 * ops.tanh(said[:, 4])
    z = (targets - ops.sigmoid(said[:, :2])) / sd
    rest = 1 - ops.square(correlation)
    distance = ops.sum(ops.square(z), -1) - 2 * correlation * z[:, 0] * z[:, 1]
    nll = 0.5 * distance / rest + 0.5 * ops.log(rest) + ops.sum(ops.log(sd), -1)
    weight = ops.stop_gradient(ops.sqrt(sd[:, 0] * sd[:, 1]) / 0.15)
    return weight * nll


def _shares_loss(targets: Any, logits: Any) -> Any:
    return -ops.sum(targets * ops.log_softmax(logits), -1)


def _rating_loss(targets: Any, said: Any) -> Any:
    return ops.mean(ops.square(targets - said), -1)


def _yes_loss(targets: Any, logits: Any) -> Any:
    return ops.mean(ops.softplus(logits) - targets * logits, -1)


LOSSES: Mapping[str, Callable[[Any, Any], Any]] = {
    "emotion": emotion_loss,
    "mood": mood_loss,
    "rating": _rating_loss,
    "sentiment": _shares_loss,
    "irony": _yes_loss,
    "emoji": _shares_loss,
    "spoken": _shares_loss,
}


def predict(model: keras.Model, batches: Any) -> dict[str, NDArray[Any]]:
    """Return the outputs by task for all rows of the batches."""
    said = [model.predict_on_batch(batches.inputs(rows)) for rows in batches.batches]
    return {name: np.concatenate([each[name] for each in said]) for name in said[0]}
