"""Learning the weights from logged lists."""

from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from recommender import selectors, services
from recommender.engine.scoring import MODEL_VERSION, TERMS, Weights
from recommender.engine.weight_learning import LEAST_LISTS
from recommender.models import Choice, RankingWeights, Suggestion
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db
PER_LIST = 5


def log_lists(
    n: int = LEAST_LISTS,
    *,
    loved: str,
    weights: Weights | None = None,
    version: str = MODEL_VERSION,
    learns: bool = True,
) -> None:
    """Lists in an order that says nothing; from each the track highest in one term is saved."""
    rng = np.random.default_rng(0)
    tracks, user, now = [make_track() for _ in range(PER_LIST)], make_user(), timezone.now()
    scale = weights or Weights()
    shown, choices = [], []
    for _ in range(n):
        story_id, batch = uuid4(), uuid4()
        plain = [{name: float(rng.normal()) for name in TERMS} for _ in tracks]
        best = max(range(PER_LIST), key=lambda i: plain[i][loved])
        for rank, (track, terms) in enumerate(zip(tracks, plain, strict=True)):
            scaled = {name: value * getattr(scale, name) for name, value in terms.items()}
            shown.append(
                Suggestion(
                    batch=batch, user=user, story_id=story_id, track=track, rank=rank + 1,
                    score=sum(scaled.values()), terms=scaled, propensity=0.5,
                    model_version=version, shown_at=now,
                )
            )  # fmt: skip
        choices.append(
            Choice(
                user=user, story_id=story_id, track=tracks[best],
                source=tracks[best].source, suggestion=shown[best - PER_LIST], learns=learns,
                created_at=now,
            )
        )  # fmt: skip
    Suggestion.objects.bulk_create(shown)
    Choice.objects.bulk_create(choices)


def test_what_people_choose_by_counts_more_and_all_else_less() -> None:
    log_lists(loved="taste")
    fitted = services.refit_weights()
    assert fitted is not None
    assert fitted.n_lists == LEAST_LISTS
    learned, before = fitted.as_weights, Weights()
    assert learned.taste > 2 * before.taste
    assert learned.mood < before.mood
    assert learned.affinity < 0.5 * before.affinity


def test_next_list_is_ranked_by_what_was_learned_and_says_so() -> None:
    log_lists(loved="taste")
    fitted = services.refit_weights()
    assert fitted is not None
    shown = services.suggest_tracks(user=make_user(), story_id=uuid4(), mood=make_mood(), n=2)
    assert {s.model_version for s in shown} == {fitted.model_version}
    unscaled = shown[0].terms["mood"] / fitted.as_weights.mood
    assert unscaled == pytest.approx(1.0, abs=1e-3)


def test_lists_ranked_by_other_weights_teach_the_same() -> None:
    log_lists(loved="taste")
    first = services.refit_weights()
    Choice.objects.all().delete()
    Suggestion.objects.all().delete()
    assert first is not None
    log_lists(loved="taste", weights=first.as_weights, version=first.model_version)
    second = services.refit_weights()
    assert second is not None
    assert second.weights == pytest.approx(first.weights, rel=1e-2)


def test_too_few_lists_change_nothing() -> None:
    log_lists(LEAST_LISTS - 1, loved="taste")
    assert services.refit_weights() is None
    assert selectors.ranking_weights() == (Weights(), MODEL_VERSION)


def test_stories_that_are_not_to_be_learned_from_teach_nothing() -> None:
    log_lists(loved="taste", learns=False)
    assert services.refit_weights() is None


def test_a_term_that_came_later_has_its_prior() -> None:
    kept = RankingWeights(
        fitted_at=timezone.now(), weights={"mood": 2.0}, position_bias=0.5, n_lists=300
    )
    assert kept.as_weights.mood == 2.0
    assert kept.as_weights.taste == Weights().taste
