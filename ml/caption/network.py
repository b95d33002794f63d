"""The shipped caption network, run by onnxruntime on one thread."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ml.caption.text import readable
from ml.caption.tokens import embedded, ids_of
from ml.manifest import model_file
from ml.types import Float64Array

OUTPUTS = {"emotion": 28, "sentiment": 3, "mood": 5}
"""Outputs of the network and their sizes."""


class Outputs(NamedTuple):
    """What the network says of n captions.

    Logits of the fine emotions (n, 28) and of negative, neutral and positive (n, 3); of the mood
    (n, 5) the logits of valence and energy, the logarithms of their standard deviations, and a
    number for their correlation (`ml.caption.predict.gaussians`).
    """

    emotion: Float64Array
    sentiment: Float64Array
    mood: Float64Array

    @classmethod
    def split(cls, numbers: Float64Array) -> "Outputs":
        """Return the outputs from all of their numbers (n, 36) side by side."""
        ends = np.cumsum(list(OUTPUTS.values()))
        return cls(*np.split(numbers, ends[:-1], axis=1))


@cache
def session() -> Any:
    """Return the loaded network, once per process.

    One thread: a caption takes a few milliseconds, and threads don't survive a fork.
    """
    return load(model_file("caption"))


def load(file: Path) -> Any:
    """Return an ONNX file as a session."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def run(captions: Sequence[str], network: Any = None) -> Outputs:
    """Return the outputs for n captions, of the shipped network or another session.

    They are read one by one: the scales of a batch would make each depend on the others.
    """
    network = network or session()
    said = [
        network.run(list(OUTPUTS), {"tokens": embedded([ids_of(readable(caption))])[0]})
        for caption in captions
    ]
    return Outputs(*(np.concatenate(each).astype(np.float64) for each in zip(*said, strict=True)))
