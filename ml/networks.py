"""Our own networks, loaded once per process with its threads kept in bounds."""

import os
from collections.abc import Callable, Sequence
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
def compiled(name: str) -> Callable[..., Any]:
    """Return the same network as a function of its inputs' batches, as numpy arrays.

    A network of several outputs gives as many arrays. TensorFlow runs it as one graph, its weights
    frozen into it so that a convolution, its normalisation and its activation become one step.
    Measured on a face and its mirror image: 216 ms layer by layer, 7.3 ms as a graph, 4.7 ms as a
    frozen one.
    """
    model = network(name)
    import keras

    def run(*batches: Any) -> Any:
        return model(batches[0] if len(batches) == 1 else list(batches), training=False)

    if keras.backend.backend() == "tensorflow":
        run = _frozen(run, [(each.shape[1:], each.dtype) for each in model.inputs])
    return lambda *batches: keras.tree.map_structure(keras.ops.convert_to_numpy, run(*batches))


def _frozen(
    run: Callable[..., Any], takes: Sequence[tuple[tuple[int, ...], str]]
) -> Callable[..., Any]:
    """Return the graph of a function of batches of rows of these shapes and types, frozen."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as freeze,
    )

    specs = [tf.TensorSpec((None, *shape), kind) for shape, kind in takes]
    graph = tf.function(run, input_signature=specs).get_concrete_function()
    frozen, structure = freeze(graph), graph.structured_outputs

    def call(*batches: Any) -> Any:
        given = zip(batches, specs, strict=True)
        outputs = frozen(*(tf.constant(batch, spec.dtype) for batch, spec in given))
        return tf.nest.pack_sequence_as(structure, outputs)

    return call


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
