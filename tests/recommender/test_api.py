import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.sites import site
from django.db.models import Model
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from accounts.models import User
from recommender import selectors, services
from recommender.api.listing import present_suggestions
from recommender.api.serializers import SuggestionSerializer
from recommender.models import Choice, Suggestion, Track
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db
SPOTIFY_ID = "6f807x0ima9a1j3VPbc7VN"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def as_json(data: object) -> Any:
    return json.loads(JSONRenderer().render(data))


def shown_to(user: User) -> Suggestion:
    make_track()
    return services.suggest_tracks(user=user, story_id=uuid4(), mood=make_mood())[0]


def test_search_finds_beginnings_of_words_in_any_spelling(api: APIClient) -> None:
    track = make_track(title="Café del Mar", artists=["Énergie 52"])
    make_track(title="Something else")
    for q in ("cafe", "CAF MAR", "energ caf", "52 café"):
        found = api.get("/api/v1/tracks/", {"q": q}).json()
        assert [row["id"] for row in found] == [str(track.pk)], q


def test_search_puts_the_best_known_first_and_ends_at_20() -> None:
    tracks = [make_track(title="Rain", popularity=p) for p in (10, 90, None)]
    assert selectors.search_tracks("rain") == [tracks[1], tracks[0], tracks[2]]
    for _ in range(25):
        make_track(title="Rain")
    assert len(selectors.search_tracks("rain")) == 20


@pytest.mark.parametrize("q", ["", " ", "!", "' & | :* \\ (", "x" * 3000])
def test_search_survives_any_question(api: APIClient, q: str) -> None:
    make_track(title="Rain")
    response = api.get("/api/v1/tracks/", {"q": q})
    assert (response.status_code, response.json()) == (200, [])


def test_search_needs_a_person() -> None:
    assert APIClient().get("/api/v1/tracks/", {"q": "x"}).status_code in {401, 403}


def test_suggestion_has_the_shape_that_was_agreed(user: User) -> None:
    shown = SuggestionSerializer(shown_to(user)).data
    assert {"id", "rank", "track", "score", "terms", "reasons"} <= set(shown)
    assert {"id", "title", "artists", "valence", "energy"} <= set(shown["track"])
    assert shown["track"]["audio"] is None
    assert shown["reasons"]


@pytest.mark.parametrize("source", Track.Source.values)
def test_a_list_is_presented_as_its_serializer_describes_it(user: User, source: str) -> None:
    suggestion = shown_to(user)
    fields = {"source": source, "source_id": SPOTIFY_ID, "intensity": "low", "explicit": True}
    Track.objects.filter(pk=suggestion.track_id).update(**fields)
    suggestion.refresh_from_db()
    described = as_json(SuggestionSerializer(suggestion).data)
    presented = present_suggestions([suggestion.story_id])[suggestion.story_id]
    assert as_json(presented) == [described]


def test_feedback_takes_the_track_off_the_list(api: APIClient, user: User) -> None:
    suggestion = shown_to(user)
    address = f"/api/v1/suggestions/{suggestion.pk}/feedback/"
    response = api.post(address, {"feedback": "not_this_one"}, format="json")
    assert response.status_code == 200
    assert response.json()["feedback"] == "not_this_one"
    assert selectors.current_suggestions(suggestion.story_id) == []
    api.post(address, {"feedback": ""}, format="json")
    assert selectors.current_suggestions(suggestion.story_id) == [suggestion]


def test_feedback_nobody_knows_is_refused(api: APIClient, user: User) -> None:
    address = f"/api/v1/suggestions/{shown_to(user).pk}/feedback/"
    assert api.post(address, {"feedback": "wonderful"}, format="json").status_code == 400
    assert api.post(address, {}, format="json").status_code == 400


def test_feedback_on_what_others_were_shown_is_not_found(api: APIClient) -> None:
    for suggestion_id in (shown_to(make_user()).pk, uuid4()):
        address = f"/api/v1/suggestions/{suggestion_id}/feedback/"
        assert api.post(address, {"feedback": ""}, format="json").status_code == 404


def rendered(**fields: object) -> str:
    return render_to_string("recommender/_track.html", {"track": make_track(**fields)})


def test_demo_tracks_have_a_player_that_waits() -> None:
    html = rendered(source=Track.Source.DEMO, title="<Rain>")
    assert '<audio class="track__player" controls preload="none"' in html
    assert "/audio.wav" in html
    assert "autoplay" not in html
    assert "&lt;Rain&gt;" in html


@pytest.mark.parametrize("source", [Track.Source.SPOTIFY, Track.Source.IMPORT])
def test_tracks_with_a_spotify_id_have_its_mark_a_link_back_and_a_player_for_later(
    source: str,
) -> None:
    html = rendered(source=source, source_id=SPOTIFY_ID)
    assert f'data-embed="https://open.spotify.com/embed/track/{SPOTIFY_ID}"' in html
    assert f'href="https://open.spotify.com/track/{SPOTIFY_ID}"' in html
    assert "img/spotify.svg" in html
    assert 'src="https' not in html, "nothing may be loaded from Spotify before a click"


def test_other_tracks_have_no_player() -> None:
    html = rendered()
    assert "<audio" not in html
    assert "data-embed" not in html


@pytest.mark.parametrize("model", [Track, Suggestion, Choice])
def test_staff_find_tracks_suggestions_and_choices(client: Client, model: type[Model]) -> None:
    staff = make_user(is_staff=True, is_superuser=True)
    suggestion = shown_to(staff)
    services.save_choice(user=staff, story_id=suggestion.story_id, track_id=suggestion.track_id)
    client.force_login(staff)
    name = model._meta.model_name
    page = client.get(reverse(f"admin:recommender_{name}_changelist"), {"q": "song"})
    assert page.status_code == 200
    assert suggestion.track.title in page.content.decode()
    row = model._default_manager.get()
    page = client.get(reverse(f"admin:recommender_{name}_change", args=[row.pk]))
    assert page.status_code == 200


@pytest.mark.parametrize("model", [Suggestion, Choice])
def test_the_log_cannot_be_changed_by_hand(model: type[Model]) -> None:
    request = RequestFactory().get("/")
    request.user = make_user(is_staff=True, is_superuser=True)
    admin: ModelAdmin[Any] = site.get_model_admin(model)
    assert not admin.has_add_permission(request)
    assert not admin.has_change_permission(request)
    assert not admin.has_delete_permission(request)
    assert admin.has_view_permission(request)


def test_preferences_are_read_and_changed(api: APIClient, user: User) -> None:
    address = "/api/v1/preferences/"
    assert api.get(address).json() == {
        "liked_genres": [],
        "liked_languages": [],
        "allow_explicit": True,
        "genres": [],
        "languages": [],
        "year_from": None,
        "year_to": None,
    }
    result = {"genres": ["pop"], "languages": ["de", "zxx"], "year_from": 1990}
    assert api.patch(address, result).json()["languages"] == ["de", "zxx"]
    assert api.patch(address, {"allow_explicit": False}).json()["genres"] == ["pop"]
    assert selectors.music_preferences(user).n_filters == 4


@pytest.mark.parametrize(
    "said",
    [
        {"genres": ["polka"]},
        {"languages": ["Klingon"]},
        {"year_from": 2000, "year_to": 1999},
        {"year_from": 1},
        {"allow_explicit": "perhaps"},
        {"liked_genres": "pop"},
    ],
)
def test_preferences_that_make_no_sense_are_refused(api: APIClient, said: dict[str, Any]) -> None:
    assert api.patch("/api/v1/preferences/", said, format="json").status_code == 400


def test_taste_is_reset_and_restored(api: APIClient, user: User) -> None:
    services.save_choice(user=user, story_id=uuid4(), track_id=make_track().pk)
    assert api.get("/api/v1/taste/").json() == {"learned_from": 1, "reset_at": None}
    after = api.post("/api/v1/taste/reset/").json()
    assert after["learned_from"] == 0
    assert after["reset_at"]
    assert api.delete("/api/v1/taste/reset/").json() == {"learned_from": 1, "reset_at": None}


def test_tracks_tell_intensity_language_and_explicit(api: APIClient) -> None:
    make_track(title="Rain", language="en", explicit=True)
    (row,) = api.get("/api/v1/tracks/", {"q": "rain"}).json()
    assert (row["intensity"], row["language"], row["explicit"]) == (None, "en", True)
    Track.objects.update(intensity="low")
    (row,) = api.get("/api/v1/tracks/", {"q": "rain"}).json()
    assert row["intensity"] == "low"
