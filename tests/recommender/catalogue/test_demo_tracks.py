"""Demo tracks are in use until a catalogue is imported, and again when it is gone."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from recommender import selectors, services
from recommender.catalogue import demo_tracks
from recommender.engine.tracks.intensity import IntensityFit, TooFewTracksError
from recommender.factors import selectors as factor_selectors
from recommender.models import FactorVersion, Suggestion, TasteProfile, Track
from recommender.ranking.listener import get_listener
from recommender.services import intensity
from recommender.services.taste import refresh_taste
from recommender.services.weights import _impressions
from tests.factories import make_mood, make_ready_story, make_track, make_user

pytestmark = pytest.mark.django_db


def make_demo_track(**fields: object) -> Track:
    return make_track(source=Track.Source.DEMO, **fields)


def sources(user: User) -> set[str]:
    shown = services.suggest_tracks(user=user, story_id=uuid4(), mood=make_mood())
    return {suggestion.track.source for suggestion in shown}


def save(user: User, track: Track) -> None:
    services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)


def choices_counted(user: User) -> int:
    refresh_taste(user=user)
    return get_listener(user).taste.n_choices


@pytest.fixture
def fan() -> User:
    """Somebody who saved three demo tracks, one of them saved by others, who liked another."""
    user, other = make_user(), make_user()
    saved = [make_demo_track(tempo=170.0) for _ in range(3)]
    for track in saved:
        save(user, track)
    for track in (saved[0], make_demo_track(), make_demo_track()):
        save(other, track)
    services.place_new_tracks()
    return user


@pytest.mark.parametrize("arranged", [False, True])
def test_with_an_imported_catalogue_no_demo_track_is_suggested(fan: User, arranged: bool) -> None:
    assert sources(fan) == {"demo"}
    for _ in range(40):
        make_track()
    if arranged:
        services.place_new_tracks()
    assert sources(fan) == {"import"}
    assert choices_counted(fan) == 0


def test_a_list_is_full_before_the_imported_tracks_have_a_place(fan: User) -> None:
    for i in range(40):
        make_track(valence=i / 40, energy=1.0)
    shown = services.suggest_tracks(user=fan, story_id=uuid4(), mood=make_mood(0.2, 0.1))
    assert len(shown) == 10


def test_tracks_without_mood_are_no_catalogue_yet(fan: User) -> None:
    make_track(valence=None, energy=None)
    assert demo_tracks.in_use()
    assert sources(fan) == {"demo"}


def test_a_setting_keeps_them(fan: User, settings: Settings) -> None:
    settings.RECOMMENDER_DEMO_TRACKS = True
    make_track()
    services.place_new_tracks()
    assert sources(fan) == {"demo", "import"}
    assert choices_counted(fan) == 3


def test_they_are_back_with_all_they_taught_once_the_imported_tracks_are_gone(fan: User) -> None:
    make_track()
    services.place_new_tracks()
    assert choices_counted(fan) == 0
    Track.objects.filter(source=Track.Source.IMPORT).delete()
    assert sources(fan) == {"demo"}
    services.place_new_tracks()
    assert choices_counted(fan) == 3
    assert sources(fan) == {"demo"}


def test_the_taste_is_of_the_other_choices_alone(fan: User) -> None:
    track = make_track(tempo=90.0)
    save(fan, track)
    another = make_user()
    save(another, track)
    assert (
        TasteProfile.objects.get(user=fan).vector == TasteProfile.objects.get(user=another).vector
    )
    assert selectors.learned_choices(fan).count() == 1


def test_nothing_is_trained_on_them(fan: User) -> None:
    def learned() -> int:
        return len([*factor_selectors.training_choices()]) + len(
            [*factor_selectors.training_choices(holdout=True)]
        )

    assert learned() == 6
    save(fan, make_track())
    assert learned() == 1


def test_arranged_factors_hold_none_of_them(fan: User) -> None:
    imported = make_track()
    services.place_new_tracks()
    serving = factor_selectors.serving_factors()
    assert serving is not None
    assert not serving.with_demo_tracks
    assert serving.n_tracks == 1
    assert FactorVersion.objects.count() == 2
    assert not factor_selectors.unplaced_tracks(serving).exists()
    assert list(factor_selectors.tracks_to_place()) == [imported]


def test_weights_are_learned_from_no_list_of_theirs(fan: User) -> None:
    demo, story_id = make_demo_track(), uuid4()
    services.suggest_tracks(user=fan, story_id=story_id, mood=make_mood())
    services.save_choice(user=fan, story_id=story_id, track_id=demo.pk)
    assert len(_impressions().ranks) > 0
    make_track()
    assert len(_impressions().ranks) == 0


def test_intensity_is_learned_without_them(fan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []

    def fit(rows: list[object]) -> IntensityFit:
        learned.append(len(rows))
        raise TooFewTracksError

    monkeypatch.setattr(intensity, "fit_intensity", fit)
    services.refit_intensity()
    make_track()
    services.refit_intensity()
    assert learned == [5, 1]


def test_search_and_filters_offer_none_of_them() -> None:
    make_demo_track(title="Harbour Lights", genre="techno", language="zxx")
    assert selectors.search_tracks("harbour")
    assert selectors.known_languages() == [("zxx", "No words (instrumental)")]
    make_track(title="Harbour Nights", genre="rock", language="en")
    assert [track.source for track in selectors.search_tracks("harbour")] == ["import"]
    assert [code for code, _ in selectors.known_languages()] == ["en"]
    assert selectors.known_genres() == ["rock"]


def test_a_saved_demo_track_stays_with_its_story_without_teaching_anything(fan: User) -> None:
    make_track()
    story_id, track = uuid4(), make_demo_track()
    services.save_choice(user=fan, story_id=story_id, track_id=track.pk)
    choice = selectors.get_choice(story_id)
    assert choice is not None
    assert choice.track == track
    assert TasteProfile.objects.get(user=fan).n_choices == 0


@pytest.mark.parametrize("page", ["story", "taste"])
def test_the_page_says_once_that_they_are_out_of_use(client: Client, page: str) -> None:
    user, track = make_user(), make_demo_track()
    story = make_ready_story(user)
    services.suggest_tracks(user=user, story_id=story.pk, mood=make_mood())
    client.force_login(user)
    address = (
        reverse("stories:story", args=[story.pk])
        if page == "story"
        else reverse("recommender:taste")
    )

    def says_so() -> bool:
        return demo_tracks.OUT_OF_USE in client.get(address).content.decode()

    assert not says_so()
    make_track()
    assert says_so()
    assert not says_so()
    assert Suggestion.objects.get().track == track


def test_who_was_never_shown_one_hears_nothing(client: Client) -> None:
    make_track()
    client.force_login(make_user())
    assert demo_tracks.OUT_OF_USE not in client.get(reverse("recommender:taste")).content.decode()
