"""The person as ranking needs them."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from recommender import factor_selectors, selectors
from recommender.candidates import Person
from recommender.services.taste import recount_taste
from recommender.taste_vectors import taste_of


def who_asks(user: User) -> Person:
    """The person as ranking needs them; folded in again where other factors serve since."""
    profile, version = selectors.taste_profile(user), factor_selectors.serving_factors()
    if profile is not None and version is not None and profile.factor_version != version.pk:
        profile = recount_taste(user=user)
    factor = np.zeros(version.n_factors if version else 0, dtype=np.float32)
    if profile is not None and version is not None and profile.factor_version == version.pk:
        factor = np.array(profile.factor, dtype=np.float32)
    return Person(user, taste_of(profile), version, factor, selectors.music_preferences(user))
