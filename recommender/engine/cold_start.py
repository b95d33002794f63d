"""Predict collaborative vectors of tracks that nobody has chosen yet, from artists and sound.

A track's vector is modelled as a linear function of its content plus an effect of each credited
artist, both learned from chosen tracks. The sound is fitted by ridge regression. An artist's effect
is the mean residual of their tracks, shrunk towards zero if there are few (the best linear
unbiased prediction of a random effect).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.als import Factors
from recommender.engine.tracks.content import FloatArray

Artists = Sequence[frozenset[str]]
"""The artist keys of every track, from `tracks.song_keys.artist_keys`."""

# Strength of the ridge prior, in tracks; that of an artist's effect, in tracks by that artist.
_SOUND_PRIOR = 50.0
_ARTIST_PRIOR = 1.0


@dataclass(frozen=True)
class ColdStart:
    """A fitted model."""

    sound: Factors
    """(1 + 10, n_factors): intercept and slopes of the content vector."""
    artists: Mapping[str, Factors]
    """Artist key -> effect (n_factors,)."""

    def vectors(self, artists: Artists, content: FloatArray) -> Factors:
        """Predict the vectors (n, n_factors) of tracks with these artists and content (n, 10)."""
        unknown = np.zeros(self.sound.shape[1], dtype=np.float32)
        effects = [
            np.mean([self.artists.get(key, unknown) for key in keys], axis=0) if keys else unknown
            for keys in artists
        ]
        predicted: Factors = _design(content) @ self.sound
        return predicted + np.array(effects, dtype=np.float32).reshape(predicted.shape)


def fit_cold_start(vectors: Factors, artists: Artists, content: FloatArray) -> ColdStart:
    """Fit to tracks with trained vectors (n, n_factors), their artists and content (n, 10)."""
    design = _design(content)
    prior = np.diag([0.0] + [_SOUND_PRIOR] * content.shape[1]).astype(np.float32)
    prior[0, 0] = 1e-6
    sound: Factors = np.linalg.solve(design.T @ design + prior, design.T @ vectors)
    residuals = vectors - design @ sound
    rows: dict[str, list[int]] = {}
    for row, keys in enumerate(artists):
        for key in keys:
            rows.setdefault(key, []).append(row)
    effects = {
        key: residuals[positions].sum(axis=0) / (len(positions) + _ARTIST_PRIOR)
        for key, positions in rows.items()
    }
    return ColdStart(sound, effects)


def _design(content: FloatArray) -> NDArray[np.float32]:
    return np.column_stack([np.ones(len(content)), content]).astype(np.float32)
