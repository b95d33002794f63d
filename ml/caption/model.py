"""The caption network: a sentence embedding beside the n-grams that training has seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from ml.caption.ngrams import Ids, padded

Floats = NDArray[np.float32]

SEED = 7


@dataclass(frozen=True)
class Recipe:
    """How one half of the network is built and trained."""

    hidden: int = 192
    dropout: float = 0.4
    noise: float = 0.0
    thinned: float = 0.0
    rate: float = 2e-3
    decay: float = 0.05
    epochs: int = 8
    batch: int = 128


WIDTH = 32
"""Numbers that describe an n-gram."""


def build_sentence(features: int, classes: int, recipe: Recipe) -> keras.Model:
    """Return a network from (batch, features) embeddings to (batch, classes) logits."""
    sentence = keras.Input((features,), name="sentence")
    x = layers.Normalization(name="scale")(sentence)
    x = layers.GaussianNoise(recipe.noise)(x)
    x = layers.Dropout(recipe.dropout / 2)(x)
    x = layers.Dense(recipe.hidden, activation="gelu")(x)
    x = layers.Dropout(recipe.dropout)(x)
    logits = layers.Dense(classes, kernel_initializer="zeros")(x)
    return keras.Model(sentence, logits, name="of_sentence")


def build_ngrams(words: int, classes: int, recipe: Recipe) -> keras.Model:
    """Return a network from (batch, any) n-gram numbers, 0 for none, to (batch, classes) logits.

    N-grams are averaged as in fastText (Joulin et al. 2017), but each with a learned weight, and
    pooled by their maximum too.
    """
    grams = keras.Input((None,), dtype="int32", name="ngrams")
    there = ops.expand_dims(ops.cast(ops.not_equal(grams, 0), "float32"), -1)
    vectors = layers.Embedding(words + 1, WIDTH)(grams)
    scores = layers.Embedding(words + 1, 1, embeddings_initializer="zeros")(grams)
    weights = ops.exp(ops.clip(scores, -6.0, 6.0)) * there
    mean = ops.sum(vectors * weights, axis=1) / (ops.sum(weights, axis=1) + 1.0)
    most = ops.max(vectors * there, axis=1)
    x = layers.Dense(recipe.hidden, activation="gelu")(layers.Concatenate()([mean, most]))
    x = layers.Dropout(recipe.dropout)(x)
    logits = layers.Dense(classes, kernel_initializer="zeros")(x)
    return keras.Model(grams, logits, name="of_ngrams")


def join(of_sentence: keras.Model, of_ngrams: keras.Model) -> keras.Model:
    """Return one network from both inputs to (batch, 2 x classes + 1) logits: the sentence's, the
    n-grams' and that of irony, which is linear in the scaled embedding."""
    irony = layers.Dense(1, name="irony", kernel_initializer="zeros")
    outputs = [of_sentence.output, of_ngrams.output, irony(of_sentence.get_layer("scale").output)]
    inputs = [of_sentence.input, of_ngrams.input]
    return keras.Model(inputs, layers.Concatenate()(outputs), name="caption")


class Thinned(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches of (ids, targets, weights) in which n-grams are left out at random.

    Of each text another share, up to `recipe.thinned`: so the network learns how much a few of
    them say, which is all that it sees of a caption in a language that it does not know.
    """

    def __init__(
        self, grams: Sequence[Ids], targets: Floats, weights: Floats, recipe: Recipe
    ) -> None:
        super().__init__()
        self.grams, self.targets, self.weights = grams, targets, weights
        self.recipe, self.random = recipe, np.random.default_rng(SEED)
        self.order = self.random.permutation(len(targets))

    def __len__(self) -> int:
        return len(self.order) // self.recipe.batch

    def __getitem__(self, index: int) -> tuple[Ids, Floats, Floats]:
        rows = self.order[index * self.recipe.batch : (index + 1) * self.recipe.batch]
        kept = padded([self._thin(self.grams[row]) for row in rows])
        return kept, self.targets[rows], self.weights[rows]

    def _thin(self, grams: Ids) -> Ids:
        share = self.random.random() * self.recipe.thinned
        return grams[self.random.random(len(grams)) >= share]

    def on_epoch_end(self) -> None:
        self.order = self.random.permutation(len(self.targets))
