"""Our own networks, loaded once per process with its threads kept in bounds."""

import os
from functools import cache
from typing import Any

from ml.manifest import model_file

THREADS = 2


@cache
def network(name: str) -> Any:
    """Return the checked network "emotion", "action" or "caption", ready to be called."""
    import_keras()
    import keras

    return keras.models.load_model(model_file(name), compile=False)


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
