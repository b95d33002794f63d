from typing import Any
from uuid import uuid4

import httpx
import pytest
from celery import current_app

from accounts.models import User
from recommender import services
from recommender.catalogue.feature_providers import FeatureProvider, ReccoBeatsFeatures
from recommender.library.recommendations import recommend_to, request_recommendations
from recommender.library.services import delete_library
from recommender.models import LibraryTrack, Track
from tests.factories import make_mood, make_track, make_user
from tests.recommender.library.factories import make_own_track, make_spotify_id
from tests.recommender.library.fake_library import FakeReccoBeats

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tasks that were sent."""
    tasks: list[Any] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args: tasks.append((name, args)))
    return tasks


def recommended(title: str, artist: str = "New Artist") -> dict[str, Any]:
    return {
        "href": f"https://open.spotify.com/track/{make_spotify_id()}",
        "trackTitle": title,
        "artists": [{"name": artist}],
        "durationMs": 200_000,
        "isrc": "GBAYE0601498",
        "popularity": 44,
    }


def ask(user: User, wire: FakeReccoBeats, valence: float = 0.5, energy: float = 0.5) -> int:
    sources: list[FeatureProvider] = [ReccoBeatsFeatures(transport=wire)]
    return recommend_to(user=user, valence=valence, energy=energy, sources=sources, transport=wire)


def test_the_five_best_fitting_tracks_and_the_mood_are_what_is_asked_for(user: User) -> None:
    own = [make_own_track(user, valence=0.5 + i / 20) for i in range(7)]
    wire = FakeReccoBeats()
    ask(user, wire)
    params = wire.asked[0].url.params
    assert params["seeds"].split(",") == [track.source_id for track in own[:5]]
    assert (params["valence"], params["energy"]) == ("0.50", "0.50")
    assert set(params) == {"seeds", "valence", "energy", "size"}


def test_what_comes_is_this_person_s_and_can_be_suggested(user: User) -> None:
    make_own_track(user)
    wire = FakeReccoBeats()
    wire.recommended = [recommended("Something New")]
    assert ask(user, wire) == 1
    held = LibraryTrack.objects.get(source="recommended")
    assert (held.user, held.track.title, held.track.popularity) == (user, "Something New", 44)
    assert (held.valence, held.energy) == (0.6, 0.5)
    assert held.track.source == Track.Source.SPOTIFY


@pytest.mark.parametrize(
    ("link", "title"), [("", "Something New"), ("https://open.spotify.com/track/1", "As It Was")]
)
def test_what_comes_replaces_what_a_file_said_and_not_what_spotify_says(
    user: User, link: str, title: str
) -> None:
    make_own_track(user)
    known = make_own_track(make_user(), title="As It Was", spotify_url=link)
    wire = FakeReccoBeats()
    item = recommended("Something New")
    wire.recommended = [item | {"href": f"https://open.spotify.com/track/{known.source_id}"}]
    ask(user, wire)
    known.refresh_from_db()
    assert known.title == title


def test_a_mood_is_asked_for_once_a_week(user: User) -> None:
    make_own_track(user)
    wire = FakeReccoBeats()
    wire.recommended = [recommended("Something New")]
    ask(user, wire)
    n = len(wire.asked)
    assert ask(user, wire, valence=0.52) == 0
    assert len(wire.asked) == n
    ask(user, wire, valence=0.9)
    assert len(wire.asked) > n


@pytest.mark.parametrize("keep_imports", [True, False])
def test_what_comes_after_the_library_was_deleted_is_not_kept(
    user: User, keep_imports: bool
) -> None:
    make_own_track(user)
    wire = FakeReccoBeats()
    wire.recommended = [recommended("Too Late")]
    answer = wire.answer

    def meanwhile(request: httpx.Request) -> httpx.Response:
        delete_library(user=user, keep_imports=keep_imports)
        return answer(request)

    wire.handler = meanwhile
    assert ask(user, wire) == 0
    assert not LibraryTrack.objects.exists()
    assert not Track.objects.exists()


def test_what_the_person_has_already_is_left_out(user: User) -> None:
    own = make_own_track(user)
    wire = FakeReccoBeats()
    wire.recommended = [recommended(f"{own.title} - Remastered 2009", own.artists[0])]
    assert ask(user, wire) == 0


def test_suggestions_ask_in_the_background_for_people_with_a_library(
    user: User, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    make_track()
    make_own_track(user)
    for person in (user, user, make_user()):
        with django_capture_on_commit_callbacks(execute=True):
            services.suggest_tracks(user=person, story_id=uuid4(), mood=make_mood(0.3, 0.7))
    assert sent == [("recommender.tasks.recommend_to", [user.pk, 0.3, 0.7])]


def test_without_reccobeats_among_the_providers_it_is_never_asked(
    user: User, sent: list[Any], settings: Any
) -> None:
    settings.FEATURE_PROVIDERS = ["import"]
    make_own_track(user)
    assert not request_recommendations(user_id=user.pk, valence=0.5, energy=0.5)
    assert sent == []
