"""Convert database rows to the engine's taste and content vectors."""

from __future__ import annotations

import numpy as np

from recommender.engine.taste import Taste
from recommender.engine.tracks.content import FEATURES, FloatArray, standardise
from recommender.models import TasteProfile, Track


def content_of(track: Track) -> FloatArray:
    """Return the track's content vector (10,)."""
    raw = [getattr(track, name) for name in FEATURES]
    vector: FloatArray = standardise(np.array(raw, dtype=np.float64))[0]
    return vector


def taste_of(profile: TasteProfile | None) -> Taste:
    """Return the stored taste, or the unknown taste without one."""
    if profile is None or profile.n_choices == 0:
        return Taste.unknown()
    return Taste(np.array(profile.vector), profile.n_choices)
