"""The emotion networks: the plain one that is shipped, its residual teachers, the baseline CNN."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from ml.emotion.predict import SIZE
from ml.labels import EMOTIONS

VIEW = 104
"""Side in pixels to which the network enlarges a crop.

The eyes are then as far apart as in the aligned faces that its initial weights were trained on
(`ml.training.emotion.pretrained`), and every halving has an even side.
"""

STAGES = ((32, 3), (64, 4), (128, 3), (256, 2))
"""Channels and residual blocks of each stage; every stage but the first begins by halving."""

ATTENTIVE = 128
"""Channels from which a stage uses squeeze and excitation."""

Normalization = Callable[..., keras.Layer]


def build(
    size: int = SIZE,
    *,
    view: int | None = VIEW,
    stages: tuple[tuple[int, int], ...] = STAGES,
    data_format: str = "channels_last",
    normalization: Normalization | None = layers.BatchNormalization,
) -> keras.Model:
    """Return the network: grey pixels in [0, 255] to seven logits LABELLED and seven VOTED.

    Residual blocks of two 3x3 convolutions, as He et al. 2016, laid out as in the face recogniser
    that it starts from; the deeper ones weigh their channels (Hu et al. 2018), and the last map is
    summed with a weight for each place (Chen et al. 2018), because a mouth is always below the
    eyes. Input is (batch, size, size, 1), or (batch, 1, size, size) for "channels_first", enlarged
    to `view` pixels unless that is None. Both formats, and every `size` that is looked at at the
    same side, have the same weights in the same order. Fresh, the additions change nothing. Without
    a normalization the convolutions have a bias instead, as `folded` fills it.
    """
    last = data_format == "channels_last"
    shared: dict[str, Any] = {"data_format": data_format}

    def convolved(x: Any, width: int, side: int, stride: int, name: str) -> Any:
        padding = "valid" if side == 7 else "same"
        x = layers.Conv2D(
            width,
            side,
            strides=stride,
            padding=padding,
            name=name,
            **_unbiased(normalization),
            **shared,
        )(x)
        return _normalized(x, name, normalization, data_format)

    def weighed(x: Any, width: int, name: str) -> Any:
        y = layers.GlobalAveragePooling2D(keepdims=True, **shared)(x)
        y = layers.Conv2D(width // 4, 1, activation="relu", name=f"{name}_squeeze", **shared)(y)
        y = layers.Conv2D(
            width, 1, activation="sigmoid", kernel_initializer="zeros", name=f"{name}_excite",
            **shared,
        )(y)  # fmt: skip
        return layers.Multiply()([x, layers.Rescaling(2.0)(y)])

    def block(x: Any, width: int, name: str, *, halve: bool) -> Any:
        y = layers.ReLU()(convolved(x, width, 3, 2 if halve else 1, f"{name}_1"))
        y = convolved(y, width, 3, 1, f"{name}_2")
        if width >= ATTENTIVE:
            y = weighed(y, width, name)
        if halve:  # the way past is shrunk, and its missing channels are zeros
            x = layers.AveragePooling2D(2, padding="same", **shared)(x)
            x = layers.Concatenate(axis=-1 if last else 1)([x, layers.Rescaling(0.0)(x)])
        return layers.ReLU()(layers.Add()([x, y]))

    inputs = keras.Input((size, size, 1) if last else (1, size, size), name="face")
    x = layers.Rescaling(1 / 256, offset=-115 / 256)(inputs)
    if view is not None:
        # No Resizing layer: it puts a network that is called without `training` into training.
        x = keras.ops.image.resize(x, (view, view), interpolation="bilinear", **shared)
    x = layers.ReLU()(convolved(x, stages[0][0], 7, 2, "stem"))
    x = layers.MaxPooling2D(3, 2, **shared)(x)
    for k, (width, depth) in enumerate(stages):
        for n in range(depth):
            x = block(x, width, f"stage{k}_{n}", halve=k > 0 and n == 0)
    return keras.Model(inputs, logits_head(x, 0.3, data_format), name="emotion")


def plain(
    size: int = SIZE,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256),
    name: str = "plain",
    data_format: str = "channels_last",
    normalization: Normalization | None = layers.BatchNormalization,
) -> keras.Model:
    """Return a network of another kind, from random weights, with the inputs and logits of `build`.

    Pairs of 3x3 convolutions at the crop's own size, halved in between (Simonyan & Zisserman
    2015): what it gets wrong is not what a network gets wrong that began with recognising people.
    """
    last = data_format == "channels_last"
    shared: dict[str, Any] = {"data_format": data_format}
    inputs = keras.Input((size, size, 1) if last else (1, size, size), name="face")
    x = layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    for k, width in enumerate(widths):
        if k:
            x = layers.MaxPooling2D(2, **shared)(x)
        for n in range(2):
            pair = f"pair{k}_{n}"
            x = layers.Conv2D(
                width, 3, padding="same", name=pair, **_unbiased(normalization), **shared
            )(x)
            x = layers.ReLU()(_normalized(x, pair, normalization, data_format))
    return keras.Model(inputs, logits_head(x, 0.4, data_format), name=name)


def _unbiased(normalization: Normalization | None) -> dict[str, Any]:
    return {"kernel_initializer": "he_normal", "use_bias": normalization is None}


def _normalized(x: Any, name: str, normalization: Normalization | None, data_format: str) -> Any:
    if normalization is None:
        return x
    axis = -1 if data_format == "channels_last" else 1
    return normalization(axis=axis, momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


def folded(trained: keras.Model, bare: keras.Model) -> keras.Model:
    """Return `bare`, a network without normalizations, set to compute what `trained` does.

    Every normalization is folded into the convolution before it, which halves the time.
    """
    by_name = {layer.name: layer for layer in trained.layers}
    for layer in bare.layers:
        weights = by_name[layer.name].get_weights() if layer.weights else []
        norm = by_name.get(f"{layer.name}_norm")
        if norm is not None:
            gain, shift, mean, variance = norm.get_weights()
            scale = gain / np.sqrt(variance + norm.epsilon)
            weights = [weights[0] * scale, shift - mean * scale]
        if weights:
            layer.set_weights(weights)
    return bare


def averaged(networks: Sequence[keras.Model]) -> keras.Model:
    """Return the first network with the mean weights of all (Wortsman et al. 2022).

    They must start from each other's weights, or an average is meaningless. Raises ValueError for
    networks of different kinds.
    """
    first = networks[0]
    if kinds := {network.name for network in networks} - {first.name}:
        raise ValueError(f"give runs of one network: {first.name!r} and {kinds} have no mean")
    stacked = zip(*(network.get_weights() for network in networks), strict=True)
    first.set_weights([np.mean(weights, axis=0) for weights in stacked])
    return first


def logits_head(x: Any, dropout: float, data_format: str) -> Any:
    """Return 14 logits of a feature map: a weighted sum over positions, then a dense layer."""
    shared: dict[str, Any] = {"data_format": data_format}
    side = x.shape[1 if data_format == "channels_last" else 2]
    x = layers.DepthwiseConv2D(
        side,
        use_bias=False,
        depthwise_initializer=keras.initializers.Constant(1 / side**2),
        name="places",
        **shared,
    )(x)
    x = layers.Dropout(dropout)(layers.Flatten(**shared)(x))
    return layers.Dense(2 * len(EMOTIONS), dtype="float32", name="logits")(x)


def baseline_cnn(
    *,
    data_format: str = "channels_last",
    normalization: Normalization = layers.BatchNormalization,
) -> keras.Model:
    """Return the network of the student report, layer by layer: 4,496,903 parameters.

    Takes (batch, 48, 48, 1) grey pixels in [0, 255], gives logits. The report doesn't give
    the dropout rates; 0.25 after convolutions and dense layers is our choice.
    """
    last = data_format == "channels_last"
    shared: dict[str, Any] = {"data_format": data_format}

    def normalized(x: Any) -> Any:
        return normalization(axis=-1 if last or x.ndim == 2 else 1)(x)

    inputs = keras.Input((48, 48, 1) if last else (1, 48, 48), name="face")
    x = layers.Rescaling(1 / 255)(inputs)
    for widths, side in (((32, 64), 3), ((128,), 5), ((512,), 3), ((512,), 3)):
        for width in widths:
            x = layers.Conv2D(width, side, padding="same", activation="relu", **shared)(x)
        x = layers.MaxPooling2D(2, **shared)(normalized(x))
        x = layers.Dropout(0.25)(x)
    x = layers.Flatten(**shared)(x)
    for width in (256, 512):
        x = normalized(layers.Dense(width, activation="relu")(x))
        x = layers.Dropout(0.25)(x)
    return keras.Model(inputs, layers.Dense(len(EMOTIONS), dtype="float32")(x), name="baseline_cnn")
