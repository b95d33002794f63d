import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from ml.mood import Gaussian
from recommender.engine.item_similarity import similarity, together_scores
from recommender.engine.mood_samples import mood_samples
from recommender.engine.scoring import (
    FRESH_HALF_LIFE,
    TERMS,
    Candidates,
    Weights,
    lift_own,
    mood_terms,
    newcomer_share,
    plain_terms,
    popularity_terms,
    precision,
    score_terms,
    total,
)
from recommender.engine.taste import Taste, taste_scores
from recommender.engine.tracks.content import FEATURES, N_FEATURES, standardise

unit = st.floats(0.0, 1.0)


def mood(valence: float = 0.5, energy: float = 0.5, sd: float = 0.1) -> Gaussian:
    return Gaussian(np.array([valence, energy]), np.eye(2) * sd**2)


def candidates(n: int = 3, **given: np.ndarray) -> Candidates:
    fields = {
        "mood_points": np.full((n, 2), 0.5),
        "content": np.zeros((n, N_FEATURES)),
        "popularity": np.full(n, np.nan),
        "together": np.zeros(n),
        "shown_lately": np.zeros(n, dtype=np.int64),
    }
    return Candidates(**{**fields, **given})


def terms_of(pool: Candidates, taste: Taste | None = None) -> dict[str, np.ndarray]:
    return score_terms(pool, mood=mood(), taste=taste or Taste.unknown(), weights=Weights())


@given(unit, unit, st.floats(0.01, 0.5))
def test_mood_term_is_highest_at_the_mood_itself(valence: float, energy: float, sd: float) -> None:
    points = np.array([[valence, energy], [valence + 0.2, energy], [valence, energy - 0.4]])
    here, near, far = mood_terms(points, mood(valence, energy, sd))
    assert here == pytest.approx(1.0)
    assert here > near > far


def test_mood_term_of_draws_from_the_mood_is_zero_on_average() -> None:
    covariance = np.array([[0.04, 0.02], [0.02, 0.03]])
    draws = np.random.default_rng(0).multivariate_normal([0.5, 0.5], covariance, 20_000)
    terms = mood_terms(draws, Gaussian(np.array([0.5, 0.5]), covariance))
    assert terms.mean() == pytest.approx(0.0, abs=0.03)


def test_mood_term_follows_the_direction_of_the_spread() -> None:
    leaning = Gaussian(np.array([0.5, 0.5]), np.array([[0.04, 0.036], [0.036, 0.04]]))
    along, across = mood_terms(np.array([[0.6, 0.6], [0.6, 0.4]]), leaning)
    assert along > across


def test_mood_without_spread_still_prefers_the_near() -> None:
    near, far = mood_terms(np.array([[0.5, 0.51], [0.5, 0.9]]), mood(sd=0.0))
    assert np.isfinite(far)
    assert near > far


def test_unknown_popularity_counts_as_average() -> None:
    unknown, low, high = popularity_terms(np.array([np.nan, 0.1, 0.9]))
    assert low < unknown == 0.0 < high


def test_score_is_the_sum_of_its_terms() -> None:
    pool = candidates(
        mood_points=np.array([[0.5, 0.5], [0.6, 0.3], [0.1, 0.9]]),
        popularity=np.array([0.9, np.nan, 0.2]),
        together=np.array([0.0, 0.4, 0.0]),
        shown_lately=np.array([0, 0, 3]),
    )
    terms = terms_of(pool)
    assert total(terms) == pytest.approx(sum(terms.values()))
    assert tuple(terms) == TERMS


def test_terms_that_know_nothing_are_zero() -> None:
    terms = terms_of(candidates())
    for name in set(TERMS) - {"mood"}:
        assert not terms[name].any()
    unknown = terms_of(candidates(days_out=np.full(3, np.nan)))
    assert not unknown["fresh"].any()


def test_what_is_new_or_saved_lately_or_alike_rises() -> None:
    days = np.array([0.0, FRESH_HALF_LIFE, 1e6])
    pool = candidates(days_out=days, recent_saves=days[::-1], affinity=days)
    terms = terms_of(pool)
    assert terms["fresh"][0] == pytest.approx(2 * terms["fresh"][1])
    assert terms["fresh"][2] == pytest.approx(0.0, abs=1e-9)
    assert (np.diff(terms["trend"]) < 0.0).all()
    assert (np.diff(terms["affinity"]) > 0.0).all()


def test_what_was_shown_often_sinks() -> None:
    pool = candidates(shown_lately=np.array([0, 1, 5]))
    never, once, often = terms_of(pool)["again"]
    assert never == 0.0 > once > often


def test_content_of_the_average_track_is_zero_and_extremes_are_bounded() -> None:
    missing = standardise(np.full((1, N_FEATURES), np.nan))
    wild = standardise(np.full((1, N_FEATURES), 1e6))
    assert not missing.any()
    assert np.abs(wild).max() <= 3.0


def test_content_rises_with_every_feature() -> None:
    low, high = np.full(N_FEATURES, 0.2), np.full(N_FEATURES, 0.2)
    high[FEATURES.index("tempo")] = 150.0
    high[FEATURES.index("liveness")] = 0.9
    difference = standardise(high)[0] - standardise(low)[0]
    assert {FEATURES[i] for i in np.flatnonzero(difference > 0)} == {"tempo", "liveness"}


def test_taste_prefers_what_resembles_the_choices() -> None:
    liked = np.full(N_FEATURES, 1.0)
    taste = Taste.of(liked[None])
    alike, opposite = taste_scores(np.stack([liked, -liked]), taste)
    assert alike > 0.0 > opposite


def test_taste_weighs_more_with_more_choices() -> None:
    liked = np.full(N_FEATURES, 1.0)
    few, many = Taste(liked, 1), Taste(liked, 30)
    assert taste_scores(liked[None], many)[0] > taste_scores(liked[None], few)[0] > 0.0


def test_similarity_needs_more_than_one_coincidence() -> None:
    once, often = similarity([1, 20], [1, 20], [1, 20])
    assert once < 0.2 < often < 1.0
    assert together_scores(np.zeros(1))[0] == 0.0


@given(unit, unit, st.floats(0.0, 0.4), st.floats(0.0, 0.4), st.floats(-0.9, 0.9))
def test_aims_lie_in_the_plane_around_the_mood(
    valence: float, energy: float, sd_v: float, sd_e: float, correlation: float
) -> None:
    shared = correlation * sd_v * sd_e
    target = Gaussian(np.array([valence, energy]), np.array([[sd_v**2, shared], [shared, sd_e**2]]))
    points = mood_samples(target)
    assert points.shape == (14, 2)
    assert (points >= 0.0).all()
    assert (points <= 1.0).all()
    assert points[0] == pytest.approx([valence, energy])


# --- values ---------------------------------------------------------------------------------------


def test_precision_is_the_inverse_of_the_covariance() -> None:
    """[[a, b], [b, d]]⁻¹ = [[d, -b], [-b, a]] / (ad - b²), here with ad - b² = 0.003."""
    covariance = np.array([[0.04, 0.02], [0.02, 0.085]])
    inverse = precision(Gaussian(np.array([0.5, 0.5]), covariance))
    assert inverse == pytest.approx(np.array([[0.085, -0.02], [-0.02, 0.04]]) / 0.003)


def test_precision_of_a_point_is_that_of_the_narrowest_mood() -> None:
    assert precision(mood(sd=0.0)) == pytest.approx(np.eye(2) / 0.05**2)
    assert precision(mood(sd=0.06)) == pytest.approx(np.eye(2) / 0.06**2)


def test_mood_term_is_the_log_density_less_that_of_the_mean() -> None:
    """log N(x) - log N(mean) is -d²/2, here by scipy."""
    mean, covariance = np.array([0.3, 0.6]), np.array([[0.04, -0.015], [-0.015, 0.02]])
    points = np.array([[0.3, 0.6], [0.5, 0.5], [0.1, 0.9], [0.9, 0.1]])
    gaussian = multivariate_normal(mean, covariance)
    expected = 1.0 + gaussian.logpdf(points) - gaussian.logpdf(mean)
    assert mood_terms(points, Gaussian(mean, covariance)) == pytest.approx(expected)


def test_mood_term_two_least_deviations_off_is_minus_one() -> None:
    """d = 0.1 / LEAST_SD = 2, so 1 - d²/2 = -1, however surely the mood is known."""
    assert mood_terms(np.array([[0.6, 0.5]]), mood(sd=0.0))[0] == pytest.approx(-1.0)


def test_surer_mood_puts_the_near_track_further_above_the_far_one() -> None:
    points = np.array([[0.52, 0.5], [0.8, 0.5]])
    sure, unsure = (np.subtract(*mood_terms(points, mood(sd=sd))) for sd in (0.1, 0.3))
    assert sure == pytest.approx(9 * unsure)


def test_terms_have_the_values_that_their_formulas_give() -> None:
    """After KNOWN_AFTER = 3 choices, what speaks for newcomers counts half."""
    pool = candidates(
        popularity=np.array([0.9, 0.2, np.nan]),
        together=np.array([0.0, 0.03, 0.06]),
        shown_lately=np.array([0, 1, 3]),
        affinity=np.array([0.5, 0.0, -0.25]),
        recent_saves=np.array([0.0, 1.0, 3.0]),
        days_out=np.array([-7.0, 120.0, 240.0]),
        liked=np.array([0.0, 1.0, 2.0]),
    )
    terms = plain_terms(pool, mood=mood(), taste=Taste(np.zeros(N_FEATURES), 3))
    assert terms["popular"] == pytest.approx([0.25, -0.1, 0.0])
    assert terms["together"] == pytest.approx(np.log([1, 2, 3]))
    assert terms["again"] == pytest.approx(-np.log([1, 2, 4]))
    assert terms["affinity"] == pytest.approx([0.5, 0.0, -0.25])
    assert terms["trend"] == pytest.approx(np.log([1, 2, 4]))
    assert terms["fresh"] == pytest.approx([1.0, 0.5, 0.25])
    assert terms["liked"] == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize(("n_choices", "share"), [(0, 1.0), (1, 0.75), (3, 0.5), (9, 0.25)])
def test_popularity_gives_way_to_choices(n_choices: int, share: float) -> None:
    assert newcomer_share(n_choices) == share


def test_weight_multiplies_its_term_and_no_other() -> None:
    pool = candidates(popularity=np.full(3, 0.9), shown_lately=np.array([1, 2, 3]))
    plain = plain_terms(pool, mood=mood(), taste=Taste.unknown())
    weights = Weights(mood=3.0, popular=4.0, again=0.5)
    scaled = score_terms(pool, mood=mood(), taste=Taste.unknown(), weights=weights)
    for name, times in (("mood", 3.0), ("popular", 4.0), ("again", 0.5)):
        assert scaled[name] == pytest.approx(times * plain[name])


def own_among_others(points: np.ndarray) -> tuple[Candidates, dict[str, np.ndarray]]:
    """Two own tracks, then two others that everybody's saves put first."""
    pool = candidates(
        4,
        mood_points=points,
        affinity=np.array([0.0, 0.0, 0.5, 0.5]),
        library=np.array([1.0, 0.0, 0.0, 0.0]),
        recommended=np.array([0.0, 1.0, 0.0, 0.0]),
    )
    return pool, terms_of(pool)


def test_own_tracks_are_lifted_until_half_of_the_best_are_theirs() -> None:
    pool, terms = own_among_others(np.full((4, 2), 0.5))
    before = {name: values.copy() for name, values in terms.items()}
    lift_own(terms, pool, 2)
    scores = total(terms)
    assert scores[1] == pytest.approx(scores[2])
    lift = terms["library"][0] - before["library"][0]
    assert lift == pytest.approx(terms["recommended"][1] - before["recommended"][1])
    assert 0.0 < lift <= 3.8 * 0.5
    assert all((terms[name] == before[name]).all() for name in TERMS[:-2])


def test_the_lift_brings_up_nothing_that_does_not_fit_the_mood() -> None:
    points = np.array([[0.95, 0.95], [0.95, 0.95], [0.5, 0.5], [0.5, 0.5]])
    pool, terms = own_among_others(points)
    before = terms["library"][0]
    lift_own(terms, pool, 2)
    assert terms["library"][0] - before == pytest.approx(3.8 * 0.5)
    assert total(terms)[0] < total(terms)[2]


def test_without_own_tracks_or_without_others_nothing_is_lifted() -> None:
    for own in (np.zeros(3), np.ones(3)):
        pool = candidates(3, affinity=np.ones(3), library=own, recommended=np.zeros(3))
        terms = terms_of(pool)
        before = terms["library"].copy()
        lift_own(terms, pool, 2)
        assert (terms["library"] == before).all()
