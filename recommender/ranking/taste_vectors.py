"""Between rows of the database and the engine's taste."""

from __future__ import annotations

import numpy as np

from recommender.engine.taste import Taste
from recommender.engine.tracks.content import FEATURES, FloatArray, standardise
from recommender.models import TasteProfile, Track


def content_of(track: Track) -> FloatArray:
    """The track's content vector (10,)."""
    raw = [getattr(track, name) for name in FEATURES]
    vector: FloatArray = standardise(np.array(raw, dtype=np.float64))[0]
    return vector


def taste_of(profile: TasteProfile | None) -> Taste:
    """The stored taste, or that of a person of whom nothing is known."""
    if profile is None or profile.n_choices == 0:
        return Taste.unknown()
    return Taste(np.array(profile.vector), profile.n_choices)
