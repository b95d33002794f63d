"""Load the project's own Keras networks once per process, with a limit on threads.

The shipped ones are the default; `serve` puts another one in the place of one of them.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ml.manifest import model_file, served

THREADS = 2

Run = Callable[..., Any]


@dataclass(frozen=True)
class Loaded:
    """A network that has run once, as a function of batches, and its entry."""

    network: Any
    run: Run
    entry: dict[str, Any]


_loaded: dict[str, Loaded] = {}


def load(name: str, file: Path, entry: dict[str, Any]) -> Loaded:
    """Load a network beside the one in use, and run it on zeros.

    The file must have been checked (`ml.serving.files.check`). Raises whatever Keras raises for a
    file that it can't load, and ValueError if the outputs aren't those of the network in use.
    """
    model = _read(name, file)
    loaded = Loaded(model, _compiled(model), entry)
    said, usual = (_run_on_zeros(each, run) for each, run in _pairs(name, loaded))
    if [each.shape for each in said] != [each.shape for each in usual]:
        raise ValueError(f"its outputs aren't those of the model {name} in use")
    return loaded


def serve(name: str, loaded: Loaded | None) -> None:
    """Use a loaded network from the next call on; None for the shipped one."""
    if loaded is None:
        _loaded.pop(name, None)
        served.pop(name, None)
    else:
        _loaded[name], served[name] = loaded, loaded.entry


@contextmanager
def instead(name: str, loaded: Loaded) -> Iterator[None]:
    """Use a loaded network inside the block only, in a process with a single thread of analysis."""
    before = _loaded.get(name)
    serve(name, loaded)
    try:
        yield
    finally:
        serve(name, before)


def network(name: str) -> Any:
    """Return the network "emotion" or "action" that is in use, ready to call."""
    return _loaded[name].network if name in _loaded else _shipped(name)


def compiled(name: str) -> Run:
    """Return the network in use as a function from batches of its inputs to numpy arrays."""
    return _loaded[name].run if name in _loaded else _shipped_run(name)


@cache
def _shipped(name: str) -> Any:
    return _read(name, model_file(name))


@cache
def _shipped_run(name: str) -> Run:
    return _compiled(_shipped(name))


def _read(name: str, file: Path) -> Any:
    import_keras()
    import keras

    if name == "action":
        import ml.action.blocks  # noqa: F401  registers the layers of the file
    return keras.models.load_model(file, compile=False)


def _compiled(model: Any) -> Run:
    """Return a network as a function from batches of its inputs to numpy arrays.

    A network with several outputs returns one array for each. TensorFlow runs it as one graph:
    layer by layer, the calls cost more than the arithmetic (one face and its mirror image
    take 216 ms instead of 7). Freezing the weights into the graph would save another 2 ms, but
    costs a hundred megabytes per network.
    """
    import keras

    def run(*batches: Any) -> Any:
        return model(batches[0] if len(batches) == 1 else list(batches), training=False)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        takes = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
        run = tf.function(run, input_signature=takes)
    return lambda *batches: keras.tree.map_structure(keras.ops.convert_to_numpy, run(*batches))


def run_once(name: str) -> None:
    """Load a network and run it on zeros, which builds its graph."""
    _run_on_zeros(network(name), compiled(name))


def _pairs(name: str, loaded: Loaded) -> tuple[tuple[Any, Run], tuple[Any, Run]]:
    return (loaded.network, loaded.run), (network(name), compiled(name))


def _run_on_zeros(model: Any, run: Run) -> list[Any]:
    import numpy as np

    shapes = [(1, *(side or 1 for side in tensor.shape[1:])) for tensor in model.inputs]
    types = [tensor.dtype for tensor in model.inputs]
    outputs = run(*(np.zeros(shape, kind) for shape, kind in zip(shapes, types, strict=True)))
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


@cache
def import_keras() -> None:
    """Import Keras quietly and keep TensorFlow to THREADS threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _hidden("pandas", "scipy", "sklearn"):
        import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(THREADS)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # TensorFlow has already run in this process
            return


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Let imports of packages that aren't imported yet fail inside the block.

    Keras and TensorFlow import these, where they find them, for inputs and wrappers that nothing
    here uses; that takes nearly as long as the two themselves.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]  # None stops an import
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
