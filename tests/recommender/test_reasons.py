from hypothesis import given
from hypothesis import strategies as st

from recommender.engine.reasons import NOTICEABLE, in_words

NAMES = ("mood", "taste", "together", "popular", "again")


def test_mood_is_told_in_words_of_the_track() -> None:
    assert in_words({"mood": 0.8}, valence=0.9, energy=0.1) == ["Calm and bright, like your story"]


def test_weightiest_reason_comes_first() -> None:
    reasons = in_words({"popular": 0.2, "taste": 0.9, "mood": 0.5}, valence=0.1, energy=0.9)
    assert reasons == [
        "Close to what you saved before",
        "Lively and wistful, like your story",
        "Popular with many listeners",
    ]


@given(st.fixed_dictionaries({name: st.floats(-3.0, 3.0) for name in NAMES}))
def test_only_terms_that_lifted_the_track_are_named(terms: dict[str, float]) -> None:
    lifted = [n for n in NAMES if n != "again" and terms[n] >= NOTICEABLE]
    reasons = in_words(terms, valence=0.5, energy=0.5)
    assert len(reasons) == max(len(lifted), 1)
    assert ("for variety" in reasons[0]) == (not lifted)


def test_a_penalty_is_no_reason() -> None:
    assert in_words({"again": -0.5, "mood": -0.2}) == ["A little further off, for variety"]
