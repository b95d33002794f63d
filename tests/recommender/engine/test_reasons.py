import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recommender.engine.mood_words import point_words
from recommender.engine.reasons import NOTICEABLE, reason_sentences
from recommender.engine.scoring import TERMS

NAMES = TERMS


def test_mood_is_told_in_words_of_the_track() -> None:
    assert reason_sentences({"mood": 0.8}, valence=0.9, energy=0.1) == [
        "Very calm, which suits your story"
    ]


def test_weightiest_reason_comes_first() -> None:
    reasons = reason_sentences({"popular": 0.2, "taste": 0.9, "mood": 0.5}, valence=0.1, energy=0.9)
    assert reasons == [
        "Close to what you saved before",
        "Very tense, which suits your story",
        "Popular with many listeners",
    ]


@given(st.fixed_dictionaries({name: st.floats(-3.0, 3.0) for name in NAMES}))
def test_only_terms_that_lifted_the_track_are_named(terms: dict[str, float]) -> None:
    lifted = [n for n in NAMES if n != "again" and terms[n] >= NOTICEABLE]
    reasons = reason_sentences(terms, valence=0.5, energy=0.5)
    assert len(reasons) == max(len(lifted), 1)
    assert ("for variety" in reasons[0]) == (not lifted)


@given(st.fixed_dictionaries({name: st.floats(-3.0, 3.0) for name in NAMES}))
def test_top_reason_is_the_largest_term(terms: dict[str, float]) -> None:
    largest = max((name for name in NAMES if name != "again"), key=lambda name: terms[name])
    assume(sum(value == terms[largest] for value in terms.values()) == 1)
    alone = reason_sentences({largest: terms[largest]}, valence=0.5, energy=0.5)
    assert reason_sentences({**terms, "again": -1.0}, valence=0.5, energy=0.5)[0] == alone[0]


def test_every_term_that_can_lift_has_words() -> None:
    result = {
        reason_sentences({name: 1.0}, valence=0.5, energy=0.5)[0]
        for name in NAMES
        if name != "again"
    }
    assert len(result) == len(NAMES) - 1
    assert not any("for variety" in sentence for sentence in result)


def test_a_penalty_is_no_reason() -> None:
    assert reason_sentences({"again": -0.5, "mood": -0.2}) == ["A little different, for variety"]


# --- boundaries -----------------------------------------------------------------------------------


def test_term_is_told_from_the_noticeable_on() -> None:
    assert reason_sentences({"taste": NOTICEABLE}) == ["Close to what you saved before"]
    assert reason_sentences({"taste": NOTICEABLE - 1e-9}) == ["A little different, for variety"]


@given(*[st.floats(0, 1)] * 2)
def test_mood_of_a_track_has_the_words_of_a_story(valence: float, energy: float) -> None:
    """And says nothing of the story's own mood, which may be called otherwise."""
    (result,) = reason_sentences({"mood": 1.0}, valence=valence, energy=energy)
    assert result.lower() == f"{point_words(valence, energy).word}, which suits your story"


@pytest.mark.parametrize(
    ("steering", "towards"),
    [
        *(
            (0.0, "which suits your story"),
            (0.33, "which suits your story"),
            (0.34, "a lift from your story"),
        ),
        *((0.5, "a lift from your story"), (0.66, "a lift from your story")),
        *((0.67, "in contrast to your story"), (1.0, "in contrast to your story")),
    ],
)
def test_steering_is_told_by_the_nearest_of_its_three_stops(steering: float, towards: str) -> None:
    result = reason_sentences({"mood": 1.0}, valence=0.1, energy=0.9, steering=steering)
    assert result == [f"Very tense, {towards}"]


@pytest.mark.parametrize("known", [{"valence": 0.5}, {"energy": 0.5}, {}])
def test_half_known_mood_is_not_put_into_words(known: dict[str, float]) -> None:
    assert reason_sentences({"mood": 1.0}, **known) == ["It suits your story"]
