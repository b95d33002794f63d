"""The person for whom tracks are ranked."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from accounts.models import User
from recommender import selectors
from recommender.catalogue import demo_tracks
from recommender.engine.ivf_index import Vectors
from recommender.engine.taste import Taste
from recommender.factors import selectors as factor_selectors
from recommender.models import FactorVersion, MusicPreferences, TasteProfile
from recommender.ranking.taste_vectors import taste_of


@dataclass(frozen=True)
class Listener:
    """What ranking knows of a person."""

    user_id: int | None
    """None for somebody without an account."""
    taste: Taste
    version: FactorVersion | None
    """The factors that serve."""
    factor: Vectors
    """(n_factors,): the person's vector; zero without choices."""
    preferences: MusicPreferences = field(default_factory=MusicPreferences)
    demo_in_use: bool = True
    """Whether they may get demo tracks."""
    is_current: bool = True
    """Whether the stored taste was computed with these factors and tracks."""


def get_listener(user: User | None = None) -> Listener:
    """Return the listener for this account; without one, somebody of whom nothing is known.

    The stored taste is returned even if it isn't current: see `services.taste.refresh_taste`.
    """
    version = factor_selectors.serving_factors()
    profile = selectors.taste_profile(user) if user else None
    demo_in_use = demo_tracks.in_use()
    return Listener(
        user_id=user.pk if user else None,
        taste=taste_of(profile),
        version=version,
        factor=_factor(profile, version),
        preferences=selectors.music_preferences(user) if user else MusicPreferences(),
        demo_in_use=demo_in_use,
        is_current=profile is None or _is_current(profile, version, demo_in_use),
    )


def _is_current(profile: TasteProfile, version: FactorVersion | None, demo_in_use: bool) -> bool:
    by_these_factors = version is None or profile.factor_version == version.pk
    return by_these_factors and profile.with_demo_tracks == demo_in_use


def _factor(profile: TasteProfile | None, version: FactorVersion | None) -> Vectors:
    if version is None or profile is None or profile.factor_version != version.pk:
        return np.zeros(version.n_factors if version else 0, dtype=np.float32)
    return np.array(profile.factor, dtype=np.float32)
