"""The emotion network: a narrow VGG with batch normalisation, about one million weights."""

from collections.abc import Callable

import keras
from keras import layers

from ml.labels import EMOTIONS

SIZE = 44
"""Side of the face crop in pixels: the middle of FER-2013's 48."""

STAGES = ((32, 2), (64, 2), (96, 3), (192, 3))
"""Channels and number of 3x3 convolutions before each halving."""


def build(
    size: int | None = SIZE,
    *,
    stages: tuple[tuple[int, int], ...] = STAGES,
    data_format: str = "channels_last",
    normalization: Callable[..., keras.Layer] = layers.BatchNormalization,
) -> keras.Model:
    """Return the network: grey pixels in [0, 255] to seven logits in the order of EMOTIONS.

    Input is (batch, size, size, 1), or (batch, 1, size, size) for "channels_first"; `size`
    None takes any side of at least 16. Both formats have the same weights in the same order.
    """
    last = data_format == "channels_last"
    inputs = keras.Input((size, size, 1) if last else (1, size, size), name="face")
    x = layers.Rescaling(1 / 64, offset=-2.0)(inputs)  # FER-2013: mean 129, sd 65
    for width, depth in stages:
        for _ in range(depth):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                data_format=data_format,
            )(x)
            x = normalization(axis=-1 if last else 1, momentum=0.9)(x)
            x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, data_format=data_format)(x)
    x = layers.GlobalAveragePooling2D(data_format=data_format)(x)
    x = layers.Dropout(0.4)(x)
    logits = layers.Dense(len(EMOTIONS), dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="emotion")
