"""Load the project's own Keras networks once per process, with a limit on threads."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from ml.manifest import model_file

THREADS = 2


@cache
def network(name: str) -> Any:
    """Return the checked network "emotion", "action" or "caption", ready to call."""
    import_keras()
    import keras

    return keras.models.load_model(model_file(name), compile=False)


@cache
def compiled(name: str) -> Callable[..., Any]:
    """Return the network as a function from batches of its inputs to numpy arrays.

    A network with several outputs returns one array for each. TensorFlow runs it as one graph:
    layer by layer, the calls cost more than the arithmetic (one face and its mirror image
    take 216 ms instead of 7). Freezing the weights into the graph would save another 2 ms, but
    costs a hundred megabytes per network.
    """
    model = network(name)
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
    import numpy as np

    shapes = [(1, *(side or 1 for side in tensor.shape[1:])) for tensor in network(name).inputs]
    types = [tensor.dtype for tensor in network(name).inputs]
    compiled(name)(*(np.zeros(shape, kind) for shape, kind in zip(shapes, types, strict=True)))


@cache
def import_keras() -> None:
    """Import Keras quietly and keep TensorFlow to THREADS threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(THREADS)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # TensorFlow has already run in this process
            return
