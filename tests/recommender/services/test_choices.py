from uuid import uuid4

import pytest

from accounts.models import User
from recommender import selectors, services
from recommender.errors import TrackNotFoundError
from recommender.models import Choice, Suggestion, TasteProfile, Track
from recommender.services.taste import recount_taste
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def taste(user: User) -> tuple[list[float], int]:
    profile = TasteProfile.objects.get(user=user)
    return profile.vector, profile.n_choices


def test_saving_notes_the_suggestion_it_came_from(user: User) -> None:
    track, story_id = make_track(), uuid4()
    shown = services.suggest_tracks(user=user, story_id=story_id, mood=make_mood())
    choice = services.save_choice(user=user, story_id=story_id, track_id=track.pk)
    assert choice.suggestion == shown[0]
    assert selectors.get_choice(story_id) == choice


@pytest.mark.parametrize("source", Track.Source.values)
def test_saving_copies_where_the_track_comes_from(user: User, source: str) -> None:
    track = make_track(source=source)
    choice = services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)
    choice.refresh_from_db()
    assert choice.source == source


def test_saving_updates_the_taste_at_once(user: User) -> None:
    services.save_choice(user=user, story_id=uuid4(), track_id=make_track(tempo=177.0).pk)
    vector, n = taste(user)
    assert n == 1
    assert vector[6] == pytest.approx((177.0 - 119.8634) / 28.6715)


def test_saving_another_track_replaces_the_first_in_choice_and_taste(user: User) -> None:
    story_id, first, second = uuid4(), make_track(tempo=60.0), make_track(tempo=180.0)
    services.save_choice(user=user, story_id=story_id, track_id=first.pk)
    services.save_choice(user=user, story_id=story_id, track_id=second.pk)
    assert Choice.objects.get(user=user).track == second
    replaced = taste(user)
    other = make_user()
    services.save_choice(user=other, story_id=uuid4(), track_id=second.pk)
    assert replaced == taste(other)


def test_taking_back_forgets_it_in_the_taste(user: User) -> None:
    kept, taken, story_id = make_track(tempo=90.0), make_track(tempo=170.0), uuid4()
    services.save_choice(user=user, story_id=uuid4(), track_id=kept.pk)
    before = taste(user)
    services.save_choice(user=user, story_id=story_id, track_id=taken.pk)
    services.remove_choice(user=user, story_id=story_id)
    vector, n = taste(user)
    assert n == before[1]
    assert vector == pytest.approx(before[0])
    assert selectors.get_choice(story_id) is None


def test_taking_back_nothing_changes_nothing(user: User) -> None:
    services.remove_choice(user=user, story_id=uuid4())
    assert not TasteProfile.objects.exists()


def test_taking_back_is_only_for_the_owner(user: User) -> None:
    story_id = uuid4()
    services.save_choice(user=user, story_id=story_id, track_id=make_track().pk)
    services.remove_choice(user=make_user(), story_id=story_id)
    assert selectors.get_choice(story_id) is not None


def test_running_taste_equals_the_recounted_one(user: User) -> None:
    for tempo in (80.0, 120.0, 160.0):
        services.save_choice(user=user, story_id=uuid4(), track_id=make_track(tempo=tempo).pk)
    running, _ = taste(user)
    recount_taste(user=user)
    assert taste(user)[0] == pytest.approx(running)


def test_saving_a_track_that_is_not_there_says_so(user: User) -> None:
    with pytest.raises(TrackNotFoundError):
        services.save_choice(user=user, story_id=uuid4(), track_id=uuid4())


def test_forgetting_a_story_leaves_nothing_of_it(user: User) -> None:
    story_id, other_story = uuid4(), uuid4()
    track = make_track()
    for story in (story_id, other_story):
        services.suggest_tracks(user=user, story_id=story, mood=make_mood())
    services.save_choice(user=user, story_id=story_id, track_id=track.pk)
    services.forget_story(story_id=story_id)
    assert not Choice.objects.exists()
    assert set(Suggestion.objects.values_list("story_id", flat=True)) == {other_story}
    assert taste(user)[1] == 0


def test_choices_by_story_gives_those_that_have_one(user: User) -> None:
    with_choice, without = uuid4(), uuid4()
    choice = services.save_choice(user=user, story_id=with_choice, track_id=make_track().pk)
    assert selectors.choices_by_story([with_choice, without]) == {with_choice: choice}
    assert selectors.chosen_tracks([with_choice, without]) == {with_choice: choice.track_id}
