"""A person's vector among the collaborative factors, in closed form from what they chose."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from recommender import factor_selectors, selectors
from recommender.candidates import Person
from recommender.engine.als import fold_in
from recommender.engine.inverted import Vectors
from recommender.models import FactorVersion, TasteProfile
from recommender.taste_vectors import taste_of


def who_asks(user: User) -> Person:
    """The person as ranking needs them; folded in again where other factors serve since."""
    profile, version = selectors.taste_profile(user), factor_selectors.serving_factors()
    if version is None or profile is None:
        factor = np.zeros(version.n_factors if version else 0, dtype=np.float32)
    elif profile.factor_version == version.pk:
        factor = np.array(profile.factor, dtype=np.float32)
    else:
        factor = fold_in_person(profile, version)
    return Person(user, taste_of(profile), version, factor, selectors.music_preferences(user))


def fold_in_person(profile: TasteProfile, version: FactorVersion) -> Vectors:
    """Work out and keep the person's vector (n_factors,) from what is saved now."""
    chosen = factor_selectors.vectors_of(version, profile.user)
    factor = np.zeros(version.n_factors, dtype=np.float32)
    if version.n_factors and len(chosen):
        factor = fold_in(
            factor_selectors.gram_of(version.pk), chosen, factor_selectors.settings_of(version)
        )
    profile.factor, profile.factor_version = factor.tolist(), version.pk
    profile.save(update_fields=["factor", "factor_version"])
    return factor
