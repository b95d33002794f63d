"""The encoder in Keras, with the weights of multilingual-e5-small."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ml.caption.tokens import BLOCKS, WIDTH, dequantised, package
from ml.types import Float32Array

EPSILON = 1e-12
MATRICES = {"qkv": ("q", "k", "v"), "mix": ("ao",), "widen": ("fi",), "narrow": ("fo",)}
"""Matrices of a block, and the file's names of their parts."""

NORMS = {"norm1": "aln", "norm2": "oln"}


class Block(layers.Layer):  # type: ignore[misc]
    """One block of BERT (Devlin et al. 2019): attention, then two dense layers."""

    def __init__(self, width: int, heads: int, dropout: float, **named: Any) -> None:
        super().__init__(**named)
        self.width, self.heads, self.dropout = width, heads, dropout
        self.qkv = layers.Dense(3 * width, name="qkv")
        self.mix = layers.Dense(width, name="mix")
        self.widen = layers.Dense(4 * width, name="widen")
        self.narrow = layers.Dense(width, name="narrow")
        self.norm1 = layers.LayerNormalization(epsilon=EPSILON, name="norm1")
        self.norm2 = layers.LayerNormalization(epsilon=EPSILON, name="norm2")
        self.drop = layers.Dropout(dropout)

    def build(self, *_: Any) -> None:
        for layer in (self.qkv, self.mix, self.widen, self.norm1, self.norm2):
            layer.build((None, None, self.width))
        self.narrow.build((None, None, 4 * self.width))

    def call(self, x: Any, mask: Any, training: bool = False) -> Any:
        mixed = self.mix(self._attended(x, mask))
        x = self.norm1(x + self.drop(mixed, training=training))
        narrowed = self.narrow(ops.gelu(self.widen(x), approximate=True))
        return self.norm2(x + self.drop(narrowed, training=training))

    def _attended(self, x: Any, mask: Any) -> Any:
        """Return the values that each token attends to, of the tokens that there are."""
        each, longest = self.width // self.heads, ops.shape(x)[1]
        query, key, value = (
            ops.transpose(ops.reshape(part, (-1, longest, self.heads, each)), (0, 2, 1, 3))
            for part in ops.split(self.qkv(x), 3, axis=-1)
        )
        scores = ops.matmul(query * each**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        absent = (ops.cast(mask, scores.dtype)[:, None, None, :] - 1) * 1e4
        shares = ops.softmax(scores + absent)
        heads = ops.transpose(ops.matmul(shares, value), (0, 2, 1, 3))
        return ops.reshape(heads, (-1, longest, self.width))


def build(
    *, width: int = WIDTH, heads: int = 12, blocks: int = BLOCKS, dropout: float = 0.0
) -> keras.Model:
    """Return a network from (batch, tokens, width) embeddings and their mask to features.

    The features (batch, 2 x width) are the mean over tokens beside a mean weighted by attention.
    """
    tokens = keras.Input((None, width), name="tokens")
    mask = keras.Input((None,), name="mask")
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(tokens)
    for n in range(blocks):
        x = Block(width, heads, dropout, name=f"block{n}")(x, mask)
    x = ops.cast(x, "float32")
    there = mask[:, :, None]
    mean = ops.sum(x * there, 1) / ops.sum(there, 1)
    asked = layers.Dense(1, kernel_initializer="zeros", dtype="float32", name="attention")(x)
    shares = ops.softmax(asked + (there - 1.0) * 1e4, axis=1)
    features = ops.concatenate([mean, ops.sum(x * shares, 1)], axis=-1)
    return keras.Model([tokens, mask], features, name="encoder")


def load_weights(model: keras.Model, blocks: int = BLOCKS) -> None:
    """Set the blocks to the weights of the package."""
    model.get_layer("norm").set_weights(_norm("emb.ln"))
    for n in range(blocks):
        block = model.get_layer(f"block{n}")
        for name, parts in MATRICES.items():
            kernel = np.concatenate([_matrix(f"l{n}.{part}.w") for part in parts], axis=1)
            bias = np.concatenate([package().tensors[f"l{n}.{part}.b"] for part in parts])
            getattr(block, name).set_weights([kernel, bias])
        for name, part in NORMS.items():
            getattr(block, name).set_weights(_norm(f"l{n}.{part}"))


def _matrix(name: str) -> Float32Array:
    """Return a matrix (inputs, outputs); the file has 32 inputs of an output in a block."""
    flat = dequantised(package().tensors[name])
    inputs = 4 * WIDTH if ".fo" in name else WIDTH
    return flat.reshape(-1, inputs).T


def _norm(name: str) -> list[Float32Array]:
    return [np.asarray(package().tensors[f"{name}.{kind}"]) for kind in "wb"]
