"""Compute people's taste from their saved tracks."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import selectors
from recommender.catalogue import demo_tracks
from recommender.engine.als import fold_in
from recommender.engine.ivf_index import Vectors
from recommender.engine.taste import Taste
from recommender.engine.tracks.content import FEATURES, standardise
from recommender.factors import selectors as factor_selectors
from recommender.locks import lock_profile
from recommender.models import FactorVersion, TasteProfile
from recommender.ranking.listener import Listener, get_listener


@atomic_with_retry
def recount_taste(*, user: User) -> TasteProfile:
    """Recompute the taste and the person's factor vector from their saved tracks."""
    profile = lock_profile(user)
    profile.with_demo_tracks = demo_tracks.in_use()
    taste = _taste(user)
    profile.vector, profile.n_choices = taste.mean.tolist(), taste.n_choices
    version = factor_selectors.serving_factors()
    if version is not None:
        profile.factor = _folded_in(user, version).tolist()
        profile.factor_version = version.pk
    profile.save()
    return profile


@atomic_with_retry
def refresh_taste(*, user: User) -> Listener:
    """Recompute the taste if the factors or the tracks in use have changed; return the listener."""
    listener = get_listener(user)
    if listener.is_current:
        return listener
    recount_taste(user=user)
    return get_listener(user)


def _taste(user: User) -> Taste:
    chosen = selectors.learned_choices(user).order_by()
    raw = [*chosen.values_list(*(f"track__{name}" for name in FEATURES))]
    return Taste.of(standardise(np.array(raw, dtype=np.float64))) if raw else Taste.unknown()


def _folded_in(user: User, version: FactorVersion) -> Vectors:
    """Return the person's vector (n_factors,), in closed form from their choices."""
    chosen = factor_selectors.vectors_of(version, user)
    if not version.n_factors or not len(chosen):
        return np.zeros(version.n_factors, dtype=np.float32)
    return fold_in(
        factor_selectors.gram_of(version.pk), chosen, factor_selectors.settings_of(version)
    )
