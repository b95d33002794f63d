"""The intensity of actions from the compendium and survey responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.intensity import PRIOR_RESPONSES, expected, intensity_of, levels
from ml.labels import ACTION_INTENSITY, ACTIONS, INTENSITIES


def test_without_answers_every_action_is_what_the_compendium_says() -> None:
    known = levels()
    assert set(known) == set(ACTIONS)
    for action, shares in known.items():
        assert max(shares, key=lambda level: shares[level]) == ACTION_INTENSITY[action]
        assert sum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) > 0


def test_as_many_answers_as_the_prior_draw_level_with_it() -> None:
    people = int(PRIOR_RESPONSES)
    shares = levels({"sleeping": {"high": people}})["sleeping"]
    assert shares["high"] == pytest.approx(0.5, abs=0.02)


def test_many_answers_leave_nothing_of_the_prior() -> None:
    shares = levels({"running": {"low": 700, "medium": 300}})["running"]
    assert shares["low"] == pytest.approx(0.7, abs=0.01)
    assert shares["medium"] == pytest.approx(0.3, abs=0.01)


def test_answers_about_one_action_change_no_other() -> None:
    changed = levels({"eating": {"high": 50}})
    assert {a: s for a, s in changed.items() if a != "eating"} == {
        a: s for a, s in levels().items() if a != "eating"
    }


@pytest.mark.parametrize(
    "responses", [{"flying": {"low": 1}}, {"eating": {"huge": 1}}, {"eating": {"low": -1}}]
)
def test_impossible_responses_are_refused(responses: dict[str, dict[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"unknown|negative"):
        levels(responses)


def test_levels_are_the_three_intensities_in_order() -> None:
    assert all(tuple(shares) == INTENSITIES for shares in levels().values())


@given(st.dictionaries(st.sampled_from(ACTIONS), st.floats(0, 1), max_size=15))
def test_intensity_of_actions_is_a_share_of_each_level(action: dict[str, float]) -> None:
    intensity = intensity_of(action)
    if sum(action.values()) > 0:
        assert tuple(intensity) == INTENSITIES
        assert sum(intensity.values()) == pytest.approx(1)
    else:
        assert intensity == {}


@pytest.mark.parametrize(
    ("action", "name"), [("sleeping", "low"), ("drinking", "medium"), ("running", "high")]
)
def test_sure_action_has_the_level_that_the_compendium_gives_it(action: str, name: str) -> None:
    intensity = intensity_of({action: 1.0})
    assert max(intensity, key=lambda level: intensity[level]) == name


def test_answers_reach_the_intensity_of_a_photo() -> None:
    asked = levels({"laughing": {"high": 40}})
    assert intensity_of({"laughing": 0.9, "sitting": 0.1}, asked)["high"] > 0.7
    assert intensity_of({"laughing": 0.9, "sitting": 0.1})["low"] > 0.7


@pytest.mark.parametrize(
    ("shares", "mean", "spread"),
    [((1, 0, 0), 0, 0), ((0, 0, 1), 1, 0), ((0.5, 0, 0.5), 0.5, 0.5), ((0, 1, 0), 0.5, 0)],
)
def test_expected_intensity_is_as_wide_as_the_shares_are_apart(
    shares: tuple[float, ...], mean: float, spread: float
) -> None:
    assert expected(dict(zip(INTENSITIES, shares, strict=True))) == pytest.approx((mean, spread))


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "shares"),
    [
        ("sleeping", (0.85, 0.13, 0.02)),
        ("running", (0.02, 0.13, 0.85)),
        # Both neighbours are one step off: 0.13, 0.85, 0.13 of 1.11.
        ("drinking", (0.13 / 1.11, 0.85 / 1.11, 0.13 / 1.11)),
    ],
)
def test_prior_falls_with_the_distance_from_the_compendium(
    action: str, shares: tuple[float, ...]
) -> None:
    assert tuple(levels()[action].values()) == pytest.approx(shares)


def test_answers_are_added_to_the_six_of_the_prior() -> None:
    """6 * (0.85, 0.13, 0.02) = (5.1, 0.78, 0.12), and six more say high: (5.1, 0.78, 6.12) / 12."""
    shares = levels({"sleeping": {"high": 6}})["sleeping"]
    assert tuple(shares.values()) == pytest.approx((0.425, 0.065, 0.51))

    # 6 / 1.11 * (0.13, 0.85, 0.13), and the same six.
    shares = levels({"drinking": {"high": 6}})["drinking"]
    prior = (0.78 / 1.11, 5.1 / 1.11, 0.78 / 1.11 + 6)
    assert tuple(shares.values()) == pytest.approx(tuple(share / 12 for share in prior))


def test_nobody_is_no_answer() -> None:
    assert levels({"sleeping": {"high": 0}}) == levels()


def test_intensity_is_the_mean_of_the_levels_by_probability() -> None:
    """3 : 1 of (0.85, 0.13, 0.02) and (0.02, 0.13, 0.85)."""
    result = intensity_of({"sleeping": 0.6, "running": 0.2})
    assert tuple(result.values()) == pytest.approx((0.6425, 0.13, 0.2275))


def test_expected_intensity_by_hand() -> None:
    """Mean 0.2 * 0.5 + 0.3 = 0.4; variance 0.5 * 0.16 + 0.2 * 0.01 + 0.3 * 0.36 = 0.19."""
    result = expected({"low": 0.5, "medium": 0.2, "high": 0.3})
    assert result == pytest.approx((0.4, 0.19**0.5))
