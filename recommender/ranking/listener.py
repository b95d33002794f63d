"""The person as ranking needs them."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from recommender import selectors
from recommender.catalogue import demo_tracks
from recommender.factors import selectors as factor_selectors
from recommender.models import FactorVersion, TasteProfile
from recommender.ranking.candidate_sources import Person
from recommender.ranking.taste_vectors import taste_of
from recommender.services.taste import recount_taste


def who_asks(user: User) -> Person:
    """The person as ranking needs them.

    Their taste is worked out again where other factors serve since, or other tracks are in use.
    """
    demo_in_use = demo_tracks.in_use()
    profile, version = selectors.taste_profile(user), factor_selectors.serving_factors()
    if profile is not None and not _is_current(profile, version, demo_in_use):
        profile = recount_taste(user=user)
    factor = np.zeros(version.n_factors if version else 0, dtype=np.float32)
    if profile is not None and version is not None and profile.factor_version == version.pk:
        factor = np.array(profile.factor, dtype=np.float32)
    said = selectors.music_preferences(user)
    return Person(user, taste_of(profile), version, factor, said, demo_in_use)


def _is_current(profile: TasteProfile, version: FactorVersion | None, demo_in_use: bool) -> bool:
    by_these_factors = version is None or profile.factor_version == version.pk
    return by_these_factors and profile.with_demo_tracks == demo_in_use
