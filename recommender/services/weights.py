"""Learn the ranking weights from the log of suggestions and choices."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from django.db.models import Exists, OuterRef
from django.utils import timezone

from recommender import selectors
from recommender.catalogue import shared_tracks
from recommender.engine.scoring import TERMS
from recommender.engine.weight_learning import Impressions, Learned, fit_weights
from recommender.models import Choice, RankingWeights, Suggestion

# The latest lists only: older ones say little about today's ranking.
LISTS_AT_MOST = 20_000


def refit_weights() -> RankingWeights | None:
    """Refit and store the weights; None while too few lists led to a choice."""
    learned = fit_weights(_impressions())
    if not learned.is_fitted:
        return None
    return _keep(learned)


def _keep(learned: Learned) -> RankingWeights:
    return RankingWeights.objects.create(
        fitted_at=timezone.now(),
        weights={name: round(value, 6) for name, value in asdict(learned.weights).items()},
        position_bias=learned.position_bias,
        n_lists=learned.n_lists,
    )


def _impressions() -> Impressions:
    """Return the latest lists with a choice that may be learned from."""
    latest = Choice.objects.filter(
        shared_tracks.used("track__"), learns=True, suggestion__isnull=False
    ).values_list("suggestion__batch", flat=True)[:LISTS_AT_MOST]
    chosen = Choice.objects.filter(suggestion=OuterRef("pk"), learns=True)
    shown = (
        Suggestion.objects.filter(shared_tracks.used("track__"), batch__in=[*latest])
        .order_by("batch", "rank")
        .annotate(chosen=Exists(chosen))
        .values_list("batch", "rank", "chosen", "model_version", "terms")
    )
    rows = [*shown.iterator(chunk_size=10_000)]
    scales = {version: selectors.weights_of(version) for version in {row[3] for row in rows}}
    return Impressions(
        terms=np.array(
            [
                [terms.get(name, 0.0) / getattr(scales[version], name) for name in TERMS]
                for *_, version, terms in rows
            ]
        ).reshape(-1, len(TERMS)),
        lists=np.unique([row[0].bytes for row in rows], return_inverse=True)[1].astype(np.int64),
        ranks=np.array([row[1] for row in rows], dtype=np.int64),
        chosen=np.array([row[2] for row in rows], dtype=bool),
    )
