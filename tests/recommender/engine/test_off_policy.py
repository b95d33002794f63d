import numpy as np
import pytest

from recommender.engine.off_policy import chances, doubly_robust, ratios, snips
from recommender.engine.rerank import softmax
from tests.recommender.factors.simulator import N_TRACKS, TEMPERATURE, Shown, show

N_LISTS, PLACES, LOOKING = 3000, 3, 0.5
_RNG = np.random.default_rng(7)
LIKES = _RNG.uniform(0.02, 0.5, N_TRACKS)
SERVED = _RNG.normal(0.0, 0.3, N_TRACKS)
# The policy asked about knows what people like.
TARGET = SERVED + 2.0 * (LIKES - LIKES.mean())


def rewards_of(log: list[Shown]) -> np.ndarray:
    return np.array([[place == shown.chosen for place in range(PLACES)] for shown in log], float)


@pytest.fixture(scope="module")
def truth() -> float:
    """What the target policy earns when it serves."""
    rng = np.random.default_rng(1)
    log = [show(rng, TARGET, LIKES, PLACES, LOOKING) for _ in range(2 * N_LISTS)]
    return float(rewards_of(log).sum(axis=1).mean())


@pytest.fixture(scope="module")
def log() -> list[Shown]:
    rng = np.random.default_rng(2)
    return [show(rng, SERVED, LIKES, PLACES, LOOKING) for _ in range(N_LISTS)]


@pytest.fixture(scope="module")
def weights(log: list[Shown]) -> np.ndarray:
    logged = np.array([shown.propensities for shown in log])
    target = np.array([chances(TARGET, shown.rows, temperature=TEMPERATURE) for shown in log])
    return ratios(logged, target)


def test_snips_finds_what_the_other_policy_earns(
    log: list[Shown], weights: np.ndarray, truth: float
) -> None:
    rewards = rewards_of(log)
    estimate = snips(rewards, weights)
    naive = rewards.sum(axis=1).mean()
    assert abs(naive - truth) > 4 * estimate.standard_error
    assert estimate.value == pytest.approx(truth, abs=3 * estimate.standard_error)
    assert 0.0 < estimate.standard_error < 0.03
    assert 100.0 < estimate.effective_lists < N_LISTS


def expectations(log: list[Shown], model: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A model's reward of what was shown, and its mean over what the target might have drawn."""
    shown_value, target_value = np.zeros((len(log), PLACES)), np.zeros((len(log), PLACES))
    for i, shown in enumerate(log):
        for place, row in enumerate(shown.rows):
            looked, before = (1.0 + place) ** -LOOKING, shown.rows[:place]
            others = [r for r in range(N_TRACKS) if r not in before]
            chance = softmax(TARGET[others] / TEMPERATURE)
            shown_value[i, place] = looked * model[row]
            target_value[i, place] = looked * np.dot(chance, model[others])
    return shown_value, target_value


def test_doubly_robust_is_right_with_a_wrong_model_and_sharper_with_a_good_one(
    log: list[Shown], weights: np.ndarray, truth: float
) -> None:
    rewards = rewards_of(log)
    plain = snips(rewards, weights)
    good = doubly_robust(rewards, weights, *expectations(log, 0.8 * LIKES))
    wrong = doubly_robust(rewards, weights, *expectations(log, 0.5 - LIKES))
    assert good.value == pytest.approx(truth, abs=3 * good.standard_error)
    assert wrong.value == pytest.approx(truth, abs=3 * wrong.standard_error)
    assert good.standard_error < wrong.standard_error
    assert good.standard_error < 1.05 * plain.standard_error


def test_the_same_policy_is_estimated_by_its_own_mean(log: list[Shown]) -> None:
    logged = np.array([shown.propensities for shown in log])
    again = np.array([chances(SERVED, shown.rows, temperature=TEMPERATURE) for shown in log])
    assert again == pytest.approx(logged)
    rewards = rewards_of(log)
    estimate = snips(rewards, ratios(logged, again))
    assert estimate.value == pytest.approx(rewards.sum(axis=1).mean())
    assert estimate.effective_lists == pytest.approx(N_LISTS)


def test_impossible_propensities_are_refused() -> None:
    for wrong in (0.0, 1.5):
        with pytest.raises(ValueError, match="probabilities"):
            ratios(np.array([[0.5, wrong]]), np.array([[0.5, 0.5]]))


# --- by hand --------------------------------------------------------------------------------------

# Two lists of two places, with weights up to each place; the first was chosen from at once.
REWARDS = np.array([[1.0, 0.0], [0.0, 1.0]])
WEIGHTS = np.array([[1.0, 2.0], [3.0, 2.0]])


def test_ratios_multiply_from_place_to_place() -> None:
    """1/4 over 1/2, then times 1/2 over 1/4; a chance of one is a chance like any other."""
    told = ratios(np.array([[0.5, 0.25], [1.0, 1.0]]), np.array([[0.25, 0.5], [0.2, 0.5]]))
    assert told == pytest.approx(np.array([[0.5, 1.0], [0.2, 0.1]]))


def test_snips_by_hand() -> None:
    """Shares (1/4, 3/4) and (1/2, 1/2): means 1/4 and 1/2. What is left of the first list is
    1/4 * 3/4 - 1/2 * 1/2 = -1/16, of the second 1/16. Effective: 4² / (1² + 3²) = 1.6, 4² / 8."""
    estimate = snips(REWARDS, WEIGHTS)
    assert estimate.value == pytest.approx(0.75)
    assert estimate.standard_error == pytest.approx(np.sqrt(2) / 16)
    assert estimate.effective_lists == pytest.approx(1.6)


def test_doubly_robust_by_hand() -> None:
    """Weights by their means: before the places (1, 1/2) and (1, 3/2), after (1/2, 1), (3/2, 1).

    First list  0.6 + 0.3 + 1/2 * (1 - 1/2) + 1 * (0 - 1/2) = 0.65
    second      0.6 + 0.9 + 3/2 * (0 - 1/2) + 1 * (1 - 1/2) = 1.25
    """
    expected, of_target = np.full((2, 2), 0.5), np.full((2, 2), 0.6)
    estimate = doubly_robust(REWARDS, WEIGHTS, expected, of_target)
    assert estimate.value == pytest.approx(0.95)
    assert estimate.standard_error == pytest.approx(0.6 / np.sqrt(2) / np.sqrt(2))
    assert estimate.effective_lists == pytest.approx(1.6)


def test_chances_are_shares_of_what_is_left() -> None:
    """Strengths 1 : 2 : 3. The third comes first in 3/6, then the first in 1/3, then the rest."""
    told = chances(0.5 * np.log([1.0, 2.0, 3.0]), [2, 0, 1], temperature=0.5)
    assert told == pytest.approx([1 / 2, 1 / 3, 1.0])
