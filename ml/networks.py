"""Our own networks, loaded once per process with its threads kept in bounds."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.manifest import model_file

THREADS = 2


@cache
def network(name: str) -> Any:
    """Return the checked network "emotion", "action" or "caption", ready to be called."""
    import_keras()
    import keras

    return keras.models.load_model(model_file(name), compile=False)


@cache
def compiled(name: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the same network as a function of a batch.

    TensorFlow runs it as one graph: layer by layer, a hundred layers cost more than their
    arithmetic (measured on one face and its mirror: 216 ms against 11 ms).
    """
    model = network(name)
    import keras

    if keras.backend.backend() != "tensorflow":
        return lambda batch: keras.ops.convert_to_numpy(model(batch, training=False))
    import tensorflow as tf

    takes = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32)
    graph = tf.function(lambda batch: model(batch, training=False), input_signature=[takes])
    return lambda batch: graph(batch).numpy()


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
        except RuntimeError:  # somebody used TensorFlow before us and has set them already
            return
