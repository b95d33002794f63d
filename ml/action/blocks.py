"""Two tuned blocks of the backbone, which see what its frozen last ones do not.

They go on from where `ml.action.backbone` says FROZEN_BLOCKS end, so that the ten blocks that
everybody can install are not shipped a second time.
"""

from typing import Any

import keras
from keras import layers

EPSILON = 1e-6  # of every normalisation in DINOv2


@keras.saving.register_keras_serializable("storify")
class Block(layers.Layer):  # type: ignore[misc]
    """A transformer block as DINOv2 has them: attention, then two dense layers, each normalised
    before and scaled after (Dosovitskiy et al. 2021; LayerScale of Touvron et al. 2021).

    Takes (batch, tokens, width) and gives as many, or with `first_only` the first one alone, which
    saves most of the work where only the class token is wanted. In training each half is skipped
    for the share `skip` of the examples (stochastic depth, Huang et al. 2016).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        skip: float = 0.0,
        first_only: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.width, self.heads, self.skip, self.first_only = width, heads, skip, first_only
        self.norm1 = layers.LayerNormalization(epsilon=EPSILON, name="norm1")
        self.qkv = layers.Dense(3 * width, name="qkv")
        self.proj = layers.Dense(width, name="proj")
        self.norm2 = layers.LayerNormalization(epsilon=EPSILON, name="norm2")
        self.fc1 = layers.Dense(4 * width, name="fc1")
        self.fc2 = layers.Dense(width, name="fc2")
        self.skip1, self.skip2 = (
            layers.Dropout(skip, noise_shape=(None, 1, 1), name=name) for name in ("skip1", "skip2")
        )

    def build(self, shape: tuple[int | None, ...]) -> None:
        inner = (*shape[:-1], 4 * self.width)
        for layer in (self.norm1, self.qkv, self.proj, self.norm2, self.fc1):
            layer.build(shape)
        self.fc2.build(inner)
        self.scale1, self.scale2 = (
            self.add_weight((self.width,), "ones", name=name) for name in ("scale1", "scale2")
        )

    def call(self, x: Any, training: bool = False) -> Any:
        tokens = keras.ops.shape(x)[1]
        shape = (-1, tokens, 3, self.heads, self.width // self.heads)
        qkv = keras.ops.reshape(self.qkv(self.norm1(x)), shape)
        last = 1 if self.first_only else None
        seen = keras.ops.dot_product_attention(qkv[:, :last, 0], qkv[:, :, 1], qkv[:, :, 2])
        seen = self.proj(keras.ops.reshape(seen, (-1, last or tokens, self.width)))
        x = x[:, :last] + self.skip1(seen * self.scale1, training=training)
        thought = self.fc2(keras.ops.gelu(self.fc1(self.norm2(x)), approximate=False))
        return x + self.skip2(thought * self.scale2, training=training)

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        names = ("width", "heads", "skip", "first_only")
        return config | {name: getattr(self, name) for name in names}
