"""Build the network of two tuned blocks, load the backbone's weights, average it with the head."""

from collections.abc import Iterable, Mapping

import keras
import numpy as np
import onnxruntime
from keras import layers

from ml.action.backbone import FROZEN_BLOCKS, SIDE, TOKENS, with_output
from ml.action.blocks import EPSILON, Block
from ml.labels import ACTIONS
from ml.manifest import weights_file
from ml.types import Float32Array

TUNED = tuple(range(FROZEN_BLOCKS, 12))
"""Numbers of the backbone's blocks that are tuned."""

_FIRST_MATRIX = 1368
_MATRICES = (
    ("qkv", "attn.qkv", 0),
    ("proj", "attn.proj", 3),
    ("fc1", "mlp.fc1", 4),
    ("fc2", "mlp.fc2", 5),
)


def last_weights() -> dict[str, Float32Array]:
    """Return the weights of the blocks after FROZEN_BLOCKS and of the last normalisation.

    Keys are "10.qkv.weight", "10.norm1.bias", "10.scale1", "norm.weight" and so on; matrices are
    (inputs, outputs).
    """
    return _weights(_names(TUNED))


def backbone_weights() -> dict[str, Float32Array]:
    """Return the weights of all blocks and of the patches' embedding, keys as above.

    "patches.weight" is (outputs, 3, 14, 14), "positions" (1, 257, 384) has the class token's place
    first.
    """
    names = {f"patches.{kind}": f"model.patch_embed.proj.{kind}" for kind in ("weight", "bias")}
    names |= {"class": "model.cls_token", "positions": "/Concat_4_output_0"}
    return _weights(names | _names(range(12)))


def _names(blocks: Iterable[int]) -> dict[str, str]:
    names = {f"norm.{kind}": f"model.norm.{kind}" for kind in ("weight", "bias")}
    for n in blocks:
        first = _FIRST_MATRIX + 6 * n  # the exporter numbers folded matrices in a fixed order
        for part, place, number in _MATRICES:
            names[f"{n}.{part}.weight"] = f"onnx::MatMul_{first + number}"
            names[f"{n}.{part}.bias"] = f"model.blocks.{n}.{place}.bias"
        for k in (1, 2):
            names[f"{n}.scale{k}"] = f"model.blocks.{n}.ls{k}.gamma"
            for kind in ("weight", "bias"):
                names[f"{n}.norm{k}.{kind}"] = f"model.blocks.{n}.norm{k}.{kind}"
    return names


def _weights(names: Mapping[str, str]) -> dict[str, Float32Array]:
    model = weights_file("dinov2").read_bytes()
    for name in names.values():
        model = with_output(model, name)
    opened = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    blank = np.zeros((1, 3, SIDE, SIDE), dtype=np.float32)
    return dict(zip(names, opened.run(list(names.values()), {"input": blank}), strict=True))


def build(
    *, width: int = TOKENS[1], heads: int = 6, classes: int = len(ACTIONS), skip: float = 0.1
) -> keras.Model:
    """Return the network from (batch, tokens, width) inner tokens to (batch, classes) logits."""
    tokens = keras.Input((None, width), name="tokens")
    x = tokens
    for n in TUNED:
        x = Block(width, heads, skip, first_only=n == TUNED[-1], name=f"block{n}")(x)
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(layers.Reshape((width,))(x))
    x = layers.Dropout(0.3, name="dropout")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="tuned")


def load_backbone_weights(model: keras.Model, weights: Mapping[str, Float32Array]) -> None:
    """Set the blocks and the normalisation after them to the backbone's weights."""
    for n in TUNED:
        load_block(model.get_layer(f"block{n}"), n, weights)
    model.get_layer("norm").set_weights([weights["norm.weight"], weights["norm.bias"]])


def load_block(block: Block, n: int, weights: Mapping[str, Float32Array]) -> None:
    """Set a block to the weights of the backbone's block `n`."""
    for part in ("norm1", "qkv", "proj", "norm2", "fc1", "fc2"):
        both = [weights[f"{n}.{part}.{kind}"] for kind in ("weight", "bias")]
        getattr(block, part).set_weights(both)
    for part in ("scale1", "scale2"):
        getattr(block, part).assign(weights[f"{n}.{part}"])


def average_logits(tuned: keras.Model, frozen: keras.Model) -> keras.Model:
    """Return the network of (tokens, features) whose logits are the mean of both networks' logits.

    `frozen` gives logits and familiarity of the features (`ml.training.action.model`).
    """
    tokens = keras.Input(tuned.input.shape[1:], name="tokens")
    features = keras.Input(frozen.input.shape[1:], name="features")
    logits, familiarity = frozen(features)
    mean = layers.Average(name="mean")([tuned(tokens), logits])
    return keras.Model([tokens, features], [mean, familiarity], name="action")
