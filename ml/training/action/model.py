"""Familiarity for the action head: the similarity of a photo to those with an action."""

import keras
import numpy as np
from keras import layers

from ml.types import Float32Array, Int64Array


def directions(head: keras.Model, features: Float32Array, labels: Int64Array) -> Float32Array:
    """Return (width, classes) unit vectors: each class's mean direction in the scaled features.

    Features are (n, width), labels class numbers (n,). The mean of unit vectors is the maximum
    likelihood direction of a von Mises-Fisher distribution.
    """
    scaled = keras.ops.convert_to_numpy(head.get_layer("scale")(features))
    unit = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    means = np.stack([unit[labels == c].mean(axis=0) for c in range(labels.max() + 1)])
    return np.asarray((means / np.linalg.norm(means, axis=1, keepdims=True)).T, dtype=np.float32)


def with_familiarity(head: keras.Model, classes: Float32Array) -> keras.Model:
    """Return the head with a second output (batch, 1): the cosine to the nearest class direction.

    Class probabilities can't tell that a photo shows none of the classes; the distance to all of
    them in the space of the frozen features can.
    """
    x = layers.UnitNormalization()(head.get_layer("scale").output)
    near = layers.Dense(classes.shape[1], use_bias=False, name="directions")
    cosines = layers.Reshape((-1, 1))(near(x))
    familiarity = layers.GlobalMaxPooling1D(name="familiarity")(cosines)
    model = keras.Model(head.input, [head.output, familiarity], name="action")
    near.set_weights([classes])
    return model
