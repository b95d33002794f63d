"""The layer of the backbone's two tuned blocks, as the shipped action network contains it.

The blocks take the tokens after FROZEN_BLOCKS of `ml.action.backbone`, so the ten frozen blocks,
which come with a package, aren't shipped again.
"""

from typing import Any

import keras
from keras import layers

EPSILON = 1e-6  # of every normalisation in DINOv2


@keras.saving.register_keras_serializable("storify")
class Block(layers.Layer):  # type: ignore[misc]
    """A transformer block of DINOv2: attention and an MLP, each with pre-norm and LayerScale.

    From (batch, tokens, width) to the same shape, or with `first_only` to the first token alone,
    which saves most of the work if only the class token is needed. In training each half is
    skipped for the share `skip` of the examples (stochastic depth, Huang et al. 2016). Dosovitskiy
    et al. 2021; LayerScale of Touvron et al. 2021.
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
        attended = keras.ops.dot_product_attention(qkv[:, :last, 0], qkv[:, :, 1], qkv[:, :, 2])
        attended = self.proj(keras.ops.reshape(attended, (-1, last or tokens, self.width)))
        x = x[:, :last] + self.skip1(attended * self.scale1, training=training)
        mlp = self.fc2(keras.ops.gelu(self.fc1(self.norm2(x)), approximate=False))
        return x + self.skip2(mlp * self.scale2, training=training)

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        names = ("width", "heads", "skip", "first_only")
        return config | {name: getattr(self, name) for name in names}
