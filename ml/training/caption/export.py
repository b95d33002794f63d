"""Write the tuned network as an ONNX file, its matrices in 8 bits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ml.caption.network import OUTPUTS
from ml.training.caption.encoder import EPSILON, Block
from ml.types import Float32Array

_OPSET = 20  # the first with Gelu

GROUP = 32
"""Inputs of an output that share a scale and a zero.

With 64 the file has 23 MB instead of 25, and valences are off by 0.019 instead of 0.008; with 16 it
has 28 MB, and they are off by 0.006.
"""

_MOST = 127  # of 255: processors without VNNI add two products in 16 bits, which could overflow


class Graph:
    """An ONNX graph under construction: each method adds nodes and returns their output's name."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def dense(self, x: str, layer: keras.layers.Dense, name: str = "") -> str:
        kernel, bias = (self.constant(value) for value in layer.get_weights())
        return self.add("Add", self.add("MatMul", x, kernel), bias, name=name)

    def matrix(self, x: str, layer: keras.layers.Dense) -> str:
        """Add a dense layer of the encoder, in 8 bits unless all stays whole."""
        if self.whole:
            return self.dense(x, layer)
        kernel, bias = layer.get_weights()
        numbers, scales, zeros = grouped(kernel)
        product = self.add(
            "MatMulNBits",
            x,
            self.constant(numbers, np.uint8),
            self.constant(scales.ravel()),
            self.constant(zeros.ravel(), np.uint8),
            domain="com.microsoft",
            K=kernel.shape[0],
            N=kernel.shape[1],
            bits=8,
            block_size=GROUP,
            accuracy_level=4,  # the inputs in 8 bits too
        )
        return self.add("Add", product, self.constant(bias))

    def norm(self, x: str, layer: keras.layers.LayerNormalization) -> str:
        scale, offset = (self.constant(value) for value in layer.get_weights())
        return self.add("LayerNormalization", x, scale, offset, epsilon=EPSILON)

    def reshape(self, x: str, *shape: int) -> str:
        return self.add("Reshape", x, self.constant(shape, np.int64))

    def block(self, x: str, block: Block) -> str:
        x = self.norm(self.add("Add", x, self.attended(x, block)), block.norm1)
        wide = self.add("Gelu", self.matrix(x, block.widen), approximate="tanh")
        return self.norm(self.add("Add", x, self.matrix(wide, block.narrow)), block.norm2)

    def attended(self, x: str, block: Block) -> str:
        """One caption at a time has no tokens to leave out, so there is no mask."""
        each = block.width // block.heads
        parts = self.reshape(self.matrix(x, block.qkv), 1, -1, 3, block.heads, each)
        query, key, value = (
            self.add("Gather", parts, self.constant(k, np.int64), axis=2) for k in range(3)
        )
        query, value = (self.add("Transpose", y, perm=[0, 2, 1, 3]) for y in (query, value))
        key = self.add("Transpose", key, perm=[0, 2, 3, 1])
        scores = self.add("Mul", self.add("MatMul", query, key), self.constant(each**-0.5))
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), value)
        heads = self.reshape(self.add("Transpose", mixed, perm=[0, 2, 1, 3]), 1, -1, block.width)
        return self.matrix(heads, block.mix)

    def pooled(self, x: str, attention: keras.layers.Dense) -> str:
        shares = self.add("Softmax", self.dense(x, attention), axis=1)
        axis = self.constant([1], np.int64)
        mean = self.add("ReduceMean", x, axis, keepdims=0)
        asked = self.add("ReduceSum", self.add("Mul", x, shares), axis, keepdims=0)
        return self.add("Concat", mean, asked, axis=-1)


def grouped(kernel: Float32Array) -> tuple[NDArray[Any], Float32Array, NDArray[Any]]:
    """Return a kernel (inputs, outputs) as numbers from 0 to 127 (outputs, groups, GROUP), and the
    scale and zero (outputs, groups) of each group."""
    groups = kernel.T.reshape(kernel.shape[1], -1, GROUP)
    least = np.minimum(groups.min(axis=-1), 0)
    scales = np.maximum((np.maximum(groups.max(axis=-1), 0) - least) / _MOST, 1e-9)
    zeros = np.round(-least / scales)
    numbers = np.round(groups / scales[..., None]) + zeros[..., None]
    return np.clip(numbers, 0, _MOST), scales, zeros


def as_onnx(network: keras.Model, *, whole: bool = False) -> Any:
    """Return a network of `ml.training.caption.model` as an ONNX model of one caption's tokens.

    The encoder's matrices are in 8 bits unless it is `whole`.
    """
    graph = Graph(whole=whole)
    x = graph.norm("tokens", network.get_layer("norm"))
    for layer in network.layers:
        if isinstance(layer, Block):
            x = graph.block(x, layer)
    features = graph.pooled(x, network.get_layer("attention"))
    for name in OUTPUTS:
        graph.dense(features, network.get_layer(name), name=name)
    width = network.get_layer("norm").get_weights()[0].size
    made = helper.make_graph(
        graph.nodes,
        "caption",
        [_float("tokens", [1, "tokens", width])],
        [_float(name, [1, size]) for name, size in OUTPUTS.items()],
        graph.constants,
    )
    operators = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=operators, ir_version=10)


def _float(name: str, shape: Sequence[int | str]) -> Any:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def export(network: keras.Model, file: Path) -> Path:
    """Write the network, whole too to compare with (".float.onnx"), and return the file."""
    onnx.save(as_onnx(network, whole=True), file.with_suffix(".float.onnx"))
    onnx.save(as_onnx(network), file)
    return file
