"""The caption network: one half reads a sentence embedding, the other words."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from ml.caption.words import FIRST, UNKNOWN, Ids, padded
from ml.types import Float32Array

SEED = 7


@dataclass(frozen=True)
class NetworkConfig:
    """Hyperparameters of one half of the network and its training."""

    hidden: int = 192
    dropout: float = 0.4
    noise: float = 0.0
    word_dropout: float = 0.0
    rate: float = 2e-3
    decay: float = 0.05
    epochs: int = 8
    batch: int = 128


WIDTH = 64
"""Size of a word embedding."""


def build_sentence(
    features: int, classes: int, config: NetworkConfig, members: int = 1
) -> keras.Model:
    """Return a network from (batch, features) embeddings to (batch, classes) logits.

    Several `members` are as many networks behind one scale, whose logits are averaged.
    """
    sentence = keras.Input((features,), name="sentence")
    scaled = layers.Normalization(name="scale")(sentence)
    logits = []
    for k in range(members):
        x = layers.GaussianNoise(config.noise)(scaled)
        x = layers.Dropout(config.dropout / 2)(x)
        x = layers.Dense(config.hidden, activation="gelu", name=f"hidden{k}")(x)
        x = layers.Dropout(config.dropout)(x)
        said = layers.Dense(classes, kernel_initializer="zeros", name=f"said{k}")(x)
        logits.append(said)
    mean = logits[0] if members == 1 else layers.Average()(logits)
    return keras.Model(sentence, mean, name="of_sentence")


def as_ensemble(networks: Sequence[keras.Model], config: NetworkConfig) -> keras.Model:
    """Return single networks as one ensemble, behind the scale of the first.

    Their scales differ only by which texts were shifted to another language (`train`), which is
    negligible over sixty thousand texts.
    """
    first = networks[0]
    together = build_sentence(
        first.input.shape[1], first.output.shape[1], config, members=len(networks)
    )
    scale = together.get_layer("scale")
    scale.set_weights(first.get_layer("scale").get_weights())
    scale.finalize_state()  # setting weights alone leaves its old mean in use
    for k, network in enumerate(networks):
        for name in ("hidden", "said"):
            trained = network.get_layer(f"{name}0").get_weights()
            together.get_layer(f"{name}{k}").set_weights(trained)
    return together


def build_words(words: int, classes: int, config: NetworkConfig) -> keras.Model:
    """Return a network from (batch, any) numbers of words, 0 for none, to (batch, classes) logits.

    Gated recurrent units (Cho et al. 2014) read the words both ways: "not happy" is not "happy".
    Their outputs are pooled by attention and by the maximum.
    """
    ids = keras.Input((None,), dtype="int32", name="words")
    there = ops.not_equal(ids, 0)
    x = layers.Dropout(config.dropout)(layers.Embedding(words + FIRST, WIDTH)(ids))
    x = layers.Bidirectional(layers.GRU(config.hidden, return_sequences=True))(x, mask=there)
    absent = ops.expand_dims(-1e4 * (1.0 - ops.cast(there, "float32")), -1)
    attention = ops.softmax(layers.Dense(1)(x) + absent, axis=1)
    x = layers.Concatenate()([ops.sum(attention * x, axis=1), ops.max(x + absent, axis=1)])
    x = layers.Dropout(config.dropout)(x)
    logits = layers.Dense(classes, kernel_initializer="zeros")(x)
    return keras.Model(ids, logits, name="of_words")


def join(of_sentence: keras.Model, of_words: keras.Model) -> keras.Model:
    """Return one network from both inputs to (batch, 2 x classes + 2) logits: the sentence's, the
    words', and those of irony and of trust in the words, linear in the scaled embedding."""
    scaled = of_sentence.get_layer("scale").output
    asked = [
        layers.Dense(1, name=n, kernel_initializer="zeros")(scaled) for n in ("irony", "trust")
    ]
    outputs = [of_sentence.output, of_words.output, *asked]
    inputs = [of_sentence.input, of_words.input]
    return keras.Model(inputs, layers.Concatenate()(outputs), name="caption")


class WordDropout(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches of (ids, targets, weights) in which words become unknown at random.

    Each text loses its own share of words, up to `config.word_dropout`, so that the network learns
    from the rest. Texts of about the same length share a batch, which saves most of the time.
    """

    def __init__(
        self,
        words: Sequence[Ids],
        targets: Float32Array,
        weights: Float32Array,
        config: NetworkConfig,
    ) -> None:
        super().__init__()
        self.words, self.targets, self.weights = words, targets, weights
        self.config, self.random = config, np.random.default_rng(SEED)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Ids, Float32Array, Float32Array]:
        rows = self.batches[index]
        kept = padded([self._drop_words(self.words[row]) for row in rows])
        return kept, self.targets[rows], self.weights[rows]

    def _drop_words(self, words: Ids) -> Ids:
        share = self.random.random() * self.config.word_dropout
        return np.where(self.random.random(len(words)) < share, UNKNOWN, words).astype(np.int32)

    def on_epoch_end(self) -> None:
        size = self.config.batch
        lengths = np.array([len(words) for words in self.words])
        order = np.argsort(lengths + self.random.uniform(0, 4, len(lengths)))
        ends = range(size, len(order) + 1, size)
        self.batches = [order[end - size : end] for end in ends]
        self.random.shuffle(self.batches)
