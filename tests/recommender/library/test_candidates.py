from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from recommender import selectors, services
from recommender.catalogue.feature_providers import ImportedFeatures
from recommender.models import LibraryTrack, Track
from recommender.ranking import own_music
from recommender.ranking.listener import get_listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.rank import RankedTrack, rank_tracks
from tests.factories import make_mood, make_track, make_user
from tests.recommender.library.factories import hold, make_own_track

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def ranked(user: User | None, music: MusicScope = MusicScope.MIX, n: int = 10) -> list[RankedTrack]:
    return rank_tracks(
        listener=get_listener(user), story_id=uuid4(), mood=make_mood(), n=n, music=music
    ).tracks


def tracks_of(places: Iterable[RankedTrack]) -> set[Track]:
    return {place.track for place in places}


def test_a_person_without_any_catalogue_gets_ten_tracks_of_their_own(user: User) -> None:
    services.load_demo_catalogue()
    own = {make_own_track(user, valence=0.4 + i / 50) for i in range(12)}
    places = ranked(user)
    assert len(places) == 10
    assert tracks_of(places) <= own
    assert all("From your library" in place.reasons for place in places)


def test_demo_tracks_stay_until_there_is_enough_music_of_one_s_own(user: User) -> None:
    services.load_demo_catalogue()
    own = {make_own_track(user) for _ in range(own_music.ENOUGH - 1)}
    assert {track.source for track in tracks_of(ranked(user, n=30)) - own} == {"demo"}
    make_own_track(user)
    assert {track.source for track in tracks_of(ranked(user, n=30))} == {"spotify"}


def test_nobody_else_gets_a_track_of_a_private_library(user: User) -> None:
    make_own_track(user)
    shared = make_track()
    assert tracks_of(ranked(make_user())) == tracks_of(ranked(None)) == {shared}
    services.rebuild_index()
    assert tracks_of(ranked(make_user())) == tracks_of(ranked(None)) == {shared}


def test_people_with_the_same_track_share_its_row(user: User) -> None:
    other = make_user()
    track = make_own_track(user)
    hold(other, track, source="top")
    assert tracks_of(ranked(other)) == {track}


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        (MusicScope.MINE, {"own"}),
        (MusicScope.MIX, {"own", "recommended", "shared"}),
        (MusicScope.NEW, {"recommended", "shared"}),
    ],
)
def test_the_scope_decides_whose_music_is_suggested(
    user: User, music: MusicScope, expected: set[str]
) -> None:
    named = {
        make_own_track(user): "own",
        make_own_track(user, source="recommended"): "recommended",
        make_track(): "shared",
    }
    assert {named[track] for track in tracks_of(ranked(user, music))} == expected


def test_a_song_of_the_library_is_not_new_under_another_id(user: User) -> None:
    own = make_own_track(user)
    make_track(title=f"{own.title} - Remastered 2011", artists=own.artists)
    new = make_track()
    assert tracks_of(ranked(user, MusicScope.NEW)) == {new}


def test_what_was_ever_saved_is_not_new(user: User) -> None:
    saved = make_track()
    services.save_choice(user=user, story_id=uuid4(), track_id=saved.pk)
    user.choices.update(created_at=timezone.now() - timedelta(days=400))
    assert tracks_of(ranked(user, MusicScope.MIX)) == {saved}
    assert ranked(user, MusicScope.NEW) == []


def test_reasons_say_where_a_track_came_from(user: User) -> None:
    own, recommended = make_own_track(user), make_own_track(user, source="recommended")
    shared = make_track()
    reasons = {place.track: place.reasons for place in ranked(user)}
    assert "From your library" in reasons[own]
    assert "Recommended by ReccoBeats to go with your library" in reasons[recommended]
    assert not any("library" in reason for reason in reasons[shared])


def test_what_expired_is_no_candidate(user: User) -> None:
    make_own_track(user)
    LibraryTrack.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert ranked(user) == []


def test_only_the_nearest_of_a_large_library_are_scored(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_music, "NEAR", 1)
    near = make_own_track(user, valence=0.45)
    make_own_track(user, valence=0.9)
    assert tracks_of(ranked(user, MusicScope.MINE)) == {near}


def test_filters_apply_to_one_s_own_music(user: User) -> None:
    make_own_track(user, explicit=True)
    clean = make_own_track(user, explicit=False)
    services.set_preferences(user=user, allow_explicit=False)
    assert tracks_of(ranked(user)) == {clean}


def test_features_that_arrive_later_make_a_candidate(user: User) -> None:
    track = make_own_track(user, valence=None, energy=None)
    make_track(source_id=track.source_id, valence=0.6, energy=0.4)
    assert ranked(user, MusicScope.MINE) == []
    services.fill_features(providers=[ImportedFeatures()])
    assert tracks_of(ranked(user, MusicScope.MINE)) == {track}


def test_a_private_track_is_not_found_by_searching(user: User) -> None:
    make_own_track(user, title="Quietly Mine")
    assert selectors.search_tracks("quietly") == []
