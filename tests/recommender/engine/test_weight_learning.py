import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from recommender.engine.scoring import TERMS, Weights
from recommender.engine.weight_learning import Impressions, Learned, fit_weights
from tests.recommender.factors.simulator import choose_one

TRUTH = Weights(mood=1.5, taste=0.5, affinity=1.0, together=0.5, popular=0.0)
POSITION_BIAS = 0.8


def log_of(n_lists: int, seed: int = 0, n: int = 8) -> Impressions:
    """Lists ranked by the priors with some chance, chosen from by the truth."""
    rng = np.random.default_rng(seed)
    prior, truth = (np.array([getattr(w, t) for t in TERMS]) for w in (Weights(), TRUTH))
    terms, chosen = [], []
    for _ in range(n_lists):
        plain = rng.normal(size=(n, len(TERMS)))
        plain = plain[np.argsort(-(plain @ prior + rng.gumbel(size=n)))]
        terms.append(plain)
        chosen.append(np.arange(n) == choose_one(rng, plain @ truth, POSITION_BIAS))
    return Impressions(
        terms=np.concatenate(terms),
        lists=np.repeat(np.arange(n_lists), n),
        ranks=np.tile(np.arange(1, n + 1), n_lists),
        chosen=np.concatenate(chosen),
    )


def test_many_choices_reveal_the_weights_and_the_attention() -> None:
    learned = fit_weights(log_of(4000))
    assert learned.position_bias == pytest.approx(POSITION_BIAS, abs=0.15)
    for name in ("mood", "taste", "affinity", "together", "popular"):
        assert getattr(learned.weights, name) == pytest.approx(getattr(TRUTH, name), abs=0.15)


def test_what_stood_high_is_not_taken_for_what_was_liked() -> None:
    """Without the position, what the old ranking favoured looks better than it is."""
    log = log_of(4000)
    blind = Impressions(log.terms, log.lists, np.ones_like(log.ranks), log.chosen)
    result, fooled = fit_weights(log).weights, fit_weights(blind).weights
    assert abs(fooled.popular - TRUTH.popular) > abs(result.popular - TRUTH.popular) + 0.1


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


# --- values ---------------------------------------------------------------------------------------

PRIOR = Weights(mood=2.0, taste=0.3, popular=4.0)


def surprise(log: Impressions, at: np.ndarray) -> float:
    """Minus the log posterior as the docstrings state it, list by list: a conditional logit with
    rank^(-position_bias), each weight normal around its prior with half of it as standard
    deviation, and position_bias normal around 0.5 with 0.5."""
    before = np.array([*(getattr(PRIOR, name) for name in TERMS), 0.5])
    total = -norm(before, [*(before[:-1] / 2), 0.5]).logpdf(at).sum()
    for one in np.unique(log.lists):
        rows = log.lists == one
        utility = log.terms[rows] @ at[:-1] - at[-1] * np.log(log.ranks[rows])
        total += logsumexp(utility) - utility[log.chosen[rows]][0]
    return float(total)


def weights_of(learned: Learned) -> np.ndarray:
    return np.array([*(getattr(learned.weights, name) for name in TERMS), learned.position_bias])


def test_learned_weights_are_the_most_probable_ones() -> None:
    """Where the weights are free, the posterior is level: its slope over a small step is zero."""
    log = log_of(40, seed=3)
    learned = fit_weights(log, PRIOR, least_lists=40)
    at = weights_of(learned)
    least = 0.02 * np.array([getattr(PRIOR, name) for name in TERMS])
    free = [i for i in range(len(at)) if i == len(TERMS) or at[i] > 1.01 * least[i]]
    assert learned.is_fitted
    assert len(free) >= 6
    for i in free:
        step = 1e-4 * np.eye(len(at))[i]
        assert (surprise(log, at + step) - surprise(log, at - step)) / 2e-4 == pytest.approx(
            0.0, abs=0.02
        )


def test_weight_that_choices_speak_against_keeps_a_fiftieth_of_its_prior() -> None:
    """Of two tracks, equal but for popularity, people take the one that is less popular."""
    n = 300
    terms = np.zeros((2 * n, len(TERMS)))
    terms[::2, TERMS.index("popular")] = 5.0
    chosen = np.tile([False, True], n)
    ranks, lists = np.tile([1, 2], n), np.repeat(np.arange(n), 2)
    learned = fit_weights(Impressions(terms, lists, ranks, chosen), PRIOR)
    assert learned.weights.popular == pytest.approx(0.08)
    assert learned.weights.mood == pytest.approx(2.0)


def test_as_many_lists_as_asked_for_are_enough_and_one_fewer_is_not() -> None:
    log = log_of(30)
    assert fit_weights(log, least_lists=30).is_fitted
    short = fit_weights(log, PRIOR, least_lists=31)
    assert (short.is_fitted, short.weights, short.position_bias, short.n_lists) == (
        False,
        PRIOR,
        0.5,
        30,
    )


def test_lists_with_two_choices_or_none_change_nothing() -> None:
    log, other = log_of(60), log_of(20, seed=5)
    for chosen in (np.zeros_like(other.chosen), np.tile([True, True] + [False] * 6, 20)):
        both = Impressions(
            np.concatenate([log.terms, other.terms]),
            np.concatenate([log.lists, other.lists + 1000]),
            np.concatenate([log.ranks, other.ranks]),
            np.concatenate([log.chosen, chosen]),
        )
        one, more = (fit_weights(each, least_lists=60) for each in (log, both))
        assert (one.is_fitted, more.n_lists) == (True, 60)
        assert weights_of(more) == pytest.approx(weights_of(one), abs=1e-4)


def test_huge_terms_do_not_overflow() -> None:
    log = log_of(40)
    huge = Impressions(log.terms * 1e5, log.lists, log.ranks, log.chosen)
    assert np.isfinite(weights_of(fit_weights(huge, least_lists=1))).all()
