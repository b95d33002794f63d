import numpy as np
import pytest

from recommender.engine.learning import Impressions, fit_weights
from recommender.engine.scoring import TERMS, Weights
from tests.recommender.simulator import choose_one

TRUTH = Weights(mood=1.5, taste=0.5, affinity=1.0, together=0.5, popular=0.0)
LOOKING = 0.8


def log_of(n_lists: int, seed: int = 0, n: int = 8) -> Impressions:
    """Lists ranked by the priors with some chance, chosen from by the truth."""
    rng = np.random.default_rng(seed)
    prior, truth = (np.array([getattr(w, t) for t in TERMS]) for w in (Weights(), TRUTH))
    terms, chosen = [], []
    for _ in range(n_lists):
        plain = rng.normal(size=(n, len(TERMS)))
        plain = plain[np.argsort(-(plain @ prior + rng.gumbel(size=n)))]
        terms.append(plain)
        chosen.append(np.arange(n) == choose_one(rng, plain @ truth, LOOKING))
    return Impressions(
        terms=np.concatenate(terms),
        lists=np.repeat(np.arange(n_lists), n),
        ranks=np.tile(np.arange(1, n + 1), n_lists),
        chosen=np.concatenate(chosen),
    )


def test_many_choices_reveal_the_weights_and_the_attention() -> None:
    learned = fit_weights(log_of(4000))
    assert learned.looking == pytest.approx(LOOKING, abs=0.15)
    for name in ("mood", "taste", "affinity", "together", "popular"):
        assert getattr(learned.weights, name) == pytest.approx(getattr(TRUTH, name), abs=0.15)


def test_what_stood_high_is_not_taken_for_what_was_liked() -> None:
    """Without the position, what the old ranking favoured looks better than it is."""
    log = log_of(4000)
    blind = Impressions(log.terms, log.lists, np.ones_like(log.ranks), log.chosen)
    told, fooled = fit_weights(log).weights, fit_weights(blind).weights
    assert abs(fooled.popular - TRUTH.popular) > abs(told.popular - TRUTH.popular) + 0.1


def test_few_lists_leave_the_priors() -> None:
    learned = fit_weights(log_of(50))
    assert learned.weights == Weights()
    assert learned.n_lists == 50


def test_a_few_more_lists_move_the_weights_a_little() -> None:
    few = fit_weights(log_of(8), least_lists=5).weights
    many = fit_weights(log_of(3000)).weights
    assert 0.0 < moved(few) < 0.5 * moved(many)


def moved(weights: Weights) -> float:
    """How far the weights are from their priors, as shares of them."""
    before = np.array([getattr(Weights(), name) for name in TERMS])
    after = np.array([getattr(weights, name) for name in TERMS])
    return float(np.linalg.norm((after - before) / before))


def test_lists_without_a_choice_teach_nothing() -> None:
    log = log_of(300)
    nothing = Impressions(log.terms, log.lists, log.ranks, np.zeros_like(log.chosen))
    assert fit_weights(nothing).weights == Weights()
    empty = Impressions(log.terms[:0], log.lists[:0], log.ranks[:0], log.chosen[:0])
    assert fit_weights(empty).n_lists == 0


def test_order_of_the_log_does_not_matter() -> None:
    log = log_of(300)
    mixed = np.random.default_rng(1).permutation(len(log.lists))
    shuffled = Impressions(log.terms[mixed], log.lists[mixed], log.ranks[mixed], log.chosen[mixed])
    one, other = fit_weights(log).weights, fit_weights(shuffled).weights
    for name in TERMS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-3)
