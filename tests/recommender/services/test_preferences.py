from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from ml.mood import Gaussian
from recommender import selectors, services
from recommender.engine.reasons import reason_sentences
from recommender.engine.steering import CONTRAST, LIFT, MATCH, steer
from recommender.models import Choice, Suggestion, TasteReset
from tests.factories import make_mood, make_track, make_user

SPREAD = np.array([[0.02, 0.01], [0.01, 0.03]])
UNIT = st.floats(0, 1)


def at(valence: float, energy: float, position: float) -> list[float]:
    mood = steer(Gaussian(np.array([valence, energy]), SPREAD), position)
    assert mood.covariance is SPREAD
    return [round(value, 6) for value in mood.mean]


def test_slider_goes_from_the_mood_over_a_lift_to_its_opposite() -> None:
    assert at(0.2, 0.2, MATCH) == [0.2, 0.2]
    assert at(0.2, 0.2, LIFT) == [0.6, 0.4]
    assert at(0.2, 0.2, CONTRAST) == [0.8, 0.8]
    assert at(0.2, 0.2, 0.25) == [0.4, 0.3]


@given(UNIT, UNIT, UNIT)
def test_steered_mood_stays_in_the_plane(valence: float, energy: float, position: float) -> None:
    assert all(0 <= value <= 1 for value in at(valence, energy, position))


@given(UNIT, UNIT)
def test_lift_is_never_sadder_or_calmer(valence: float, energy: float) -> None:
    lifted = at(valence, energy, LIFT)
    assert lifted[0] >= round(valence, 6)
    assert lifted[1] >= round(energy, 6)


@pytest.mark.parametrize(
    ("steering", "words"),
    [(0, "suits your story"), (0.25, "suits your story"), (0.5, "a lift"), (1, "in contrast to")],
)
def test_reasons_say_where_the_mood_was_steered(steering: float, words: str) -> None:
    (reason,) = reason_sentences({"mood": 1.0}, valence=0.9, energy=0.9, steering=steering)
    assert words in reason


# --- with a catalogue -----------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db: None) -> User:
    return make_user()


def suggest(user: User, story_id: UUID | None = None, **mood: Any) -> list[Suggestion]:
    return services.suggest_tracks(
        user=user, story_id=story_id or uuid4(), mood=make_mood(**{"sd": 0.05, **mood})
    )


def test_steered_story_gets_music_for_the_mood_it_is_steered_to(user: User) -> None:
    sad = make_track(valence=0.2, energy=0.2)
    make_track(valence=0.8, energy=0.8)
    story_id = uuid4()
    assert suggest(user, story_id, valence=0.2, energy=0.2)[0].track == sad
    services.steer_story(user=user, story_id=story_id, steering=1.0)
    first = suggest(user, story_id, valence=0.2, energy=0.2)[0]
    assert (first.track.valence, first.steering) == (0.8, 1.0)
    assert "in contrast to your story" in first.reasons[0]
    assert suggest(user, valence=0.2, energy=0.2)[0].track == sad


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, {"pop", "rap", "old"}),
        ({"allow_explicit": False}, {"pop", "old"}),
        ({"genres": ["hip hop"]}, {"rap"}),
        ({"languages": ["de", "fr"]}, {"pop"}),
        ({"year_from": 2000}, {"pop", "rap"}),
        ({"year_to": 1999}, {"old"}),
        ({"year_from": 1980, "year_to": 2010, "genres": ["pop", "rock"]}, {"pop", "old"}),
        ({"genres": ["classical"]}, set()),
    ],
)
def test_filters_leave_out_and_are_remembered(
    user: User, said: dict[str, Any], kept: set[str]
) -> None:
    make_track(title="pop", genre="pop", language="de", release_date="2004", explicit=False)
    make_track(title="rap", genre="rap", language="en", release_date="2020-05", explicit=True)
    make_track(title="old", genre="rock", release_date="1984")
    services.set_preferences(user=user, **said)
    for _ in range(2):
        assert {s.track.title for s in suggest(user)} == kept
    assert {s.track.title for s in suggest(make_user())} == {"pop", "rap", "old"}


def test_newcomer_gets_more_of_what_they_said_they_like(user: User) -> None:
    for genre in ("pop", "jazz"):
        make_track(title=genre, genre=genre, language="it", popularity=40)
    services.answer_likes(user=user, genres=["jazz and blues"] * 2, languages=[])
    jazz = next(s for s in suggest(user) if s.track.title == "jazz")
    pop = next(s for s in suggest(user) if s.track.title == "pop")
    assert jazz.terms["liked"] == 0.5
    assert pop.terms["liked"] == 0.0
    assert "A kind of music that you said you like" in jazz.reasons
    assert selectors.music_preferences(user).liked_genres == ["jazz and blues"]


def test_people_are_asked_once_and_not_when_choices_tell(user: User) -> None:
    assert selectors.is_new_to_music(user)
    services.answer_likes(user=user, genres=[], languages=[])
    assert not selectors.is_new_to_music(user)
    other = make_user()
    services.save_choice(user=other, story_id=uuid4(), track_id=make_track().pk)
    assert not selectors.is_new_to_music(other)


# --- what is learned ------------------------------------------------------------------------------


def n_learned(user: User) -> int:
    profile = selectors.taste_profile(user)
    return profile.n_choices if profile else 0


def test_story_that_is_not_to_be_learned_from_leaves_the_taste_alone(user: User) -> None:
    kept, private = uuid4(), uuid4()
    services.save_choice(user=user, story_id=kept, track_id=make_track(energy=0.1).pk)
    before = selectors.taste_profile(user)
    assert before
    services.set_learning(user=user, story_id=private, learns=False)
    choice = services.save_choice(user=user, story_id=private, track_id=make_track(energy=0.9).pk)
    assert not choice.learns
    after = selectors.taste_profile(user)
    assert after
    assert (after.vector, after.n_choices) == (before.vector, 1)
    services.remove_choice(user=user, story_id=private)
    assert n_learned(user) == 1


def test_learning_can_be_switched_off_and_on_afterwards(user: User) -> None:
    story_id = uuid4()
    services.save_choice(user=user, story_id=story_id, track_id=make_track().pk)
    services.set_learning(user=user, story_id=story_id, learns=False)
    assert n_learned(user) == 0
    services.set_learning(user=user, story_id=story_id, learns=True)
    assert n_learned(user) == 1


def test_what_is_not_learned_from_says_nothing_to_others_either(user: User) -> None:
    mine, theirs = make_track(), make_track()
    services.save_choice(user=user, story_id=uuid4(), track_id=mine.pk)
    other, private = make_user(), uuid4()
    services.save_choice(user=other, story_id=uuid4(), track_id=mine.pk)
    services.save_choice(user=other, story_id=private, track_id=theirs.pk)
    together = {s.track: s.terms["together"] for s in suggest(user)}
    assert together[theirs] > 0
    services.set_learning(user=other, story_id=private, learns=False)
    together = {s.track: s.terms["together"] for s in suggest(user)}
    assert together[theirs] == 0


def test_taste_is_forgotten_and_the_reset_undone(user: User) -> None:
    stories = [uuid4() for _ in range(3)]
    for story_id in stories:
        services.save_choice(user=user, story_id=story_id, track_id=make_track().pk)
    services.set_learning(user=user, story_id=stories[0], learns=False)
    before = selectors.taste_profile(user)
    services.reset_taste(user=user)
    assert n_learned(user) == 0
    assert Choice.objects.filter(user=user).count() == 3
    services.save_choice(user=user, story_id=uuid4(), track_id=make_track(energy=0.9).pk)
    assert n_learned(user) == 1
    services.undo_taste_reset(user=user)
    assert n_learned(user) == 3
    assert before
    assert before.n_choices == 2
    assert not Choice.objects.get(story_id=stories[0]).learns


def test_resets_are_undone_one_after_the_other(user: User) -> None:
    for _ in range(2):
        services.save_choice(user=user, story_id=uuid4(), track_id=make_track().pk)
        services.reset_taste(user=user)
    services.reset_taste(user=user)
    assert TasteReset.objects.count() == 2
    for expected in (1, 2, 2):
        services.undo_taste_reset(user=user)
        assert n_learned(user) == expected


def test_what_was_refused_can_be_brought_back(user: User) -> None:
    make_track()
    story_id = uuid4()
    (shown,) = suggest(user, story_id)
    services.give_feedback(user=user, suggestion_id=shown.pk, feedback="not_this_one")
    assert selectors.refused_suggestions(story_id) == [shown]
    services.give_feedback(user=user, suggestion_id=shown.pk, feedback="")
    assert selectors.refused_suggestions(story_id) == []
    assert selectors.current_suggestions(story_id) == [shown]


def test_deleted_story_takes_its_tuning_along(user: User) -> None:
    story_id = uuid4()
    services.steer_story(user=user, story_id=story_id, steering=0.5)
    services.forget_story(story_id=story_id)
    assert selectors.story_tuning(story_id).steering == 0.0
