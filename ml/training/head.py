"""Build and train a small classifier on frozen features."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from ml.types import Float32Array


@dataclass(frozen=True)
class HeadConfig:
    """Hyperparameters of a head and its training."""

    hidden: int = 0
    dropout: float = 0.3
    decay: float = 1e-2
    rate: float = 1e-3
    epochs: int = 40
    batch: int = 128
    smoothing: float = 0.05
    noise: float = 0.0


def build(width: int, classes: int, config: HeadConfig, *, name: str) -> keras.Model:
    """Return a network from (batch, width) features to (batch, classes) logits."""
    inputs = keras.Input((width,), name="features")
    x = layers.Normalization(name="scale")(inputs)
    x = layers.GaussianNoise(config.noise)(x)
    if config.hidden:
        x = layers.Dropout(config.dropout / 2)(x)
        x = layers.Dense(config.hidden, activation="gelu")(x)
    x = layers.Dropout(config.dropout)(x)
    logits = layers.Dense(classes, name="logits", kernel_initializer="zeros")(x)
    return keras.Model(inputs, logits, name=name)


def fit(
    features: Float32Array,
    targets: Float32Array,
    config: HeadConfig,
    *,
    name: str,
    weights: Float32Array | None = None,
    seed: int = 7,
) -> tuple[keras.Model, list[float]]:
    """Return the trained head and its loss in every epoch.

    `targets` are (n, classes) shares, `weights` (n,) the weights of the rows.
    """
    keras.utils.set_random_seed(seed)
    model = build(features.shape[1], targets.shape[1], config, name=name)
    model.get_layer("scale").adapt(features)
    steps = config.epochs * -(-len(features) // config.batch)
    schedule = keras.optimizers.schedules.CosineDecay(config.rate, steps)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=config.decay),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.smoothing),
    )
    fitted = model.fit(
        features,
        targets,
        sample_weight=weights,
        epochs=config.epochs,
        batch_size=config.batch,
        verbose=0,
    )
    bare = build(features.shape[1], targets.shape[1], config, name=name)  # without the optimiser
    bare.set_weights(model.get_weights())
    bare.get_layer("scale").finalize_state()  # set_weights alone keeps the old mean
    return bare, [float(loss) for loss in fitted.history["loss"]]


def logits_of(model: keras.Model, features: Float32Array) -> Float32Array:
    """Return (n, classes) logits of (n, width) features."""
    return np.asarray(keras.ops.convert_to_numpy(model(features, training=False)))
