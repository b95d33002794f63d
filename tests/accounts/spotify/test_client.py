import httpx
import pytest
from django.test import Client

from accounts.models import SpotifyAccount
from accounts.spotify.client import (
    NotAllowed,
    NotFound,
    NotOnAllowList,
    Spotify,
    SpotifyError,
    SpotifyUnavailable,
)
from accounts.spotify.scopes import Purpose
from tests.accounts.conftest import SandboxTransport, Wire, allow, sign_in_with_spotify
from tests.accounts.spotify.fake_spotify import FakeSpotify, Handler, refuse
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(wire: Wire, browser: Client) -> SpotifyAccount:
    sign_in_with_spotify(browser, "mira")
    for purpose in Purpose:
        allow(browser, purpose, "mira")
    return SpotifyAccount.objects.get()


def test_me_prefers_account_id(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify:
        profile = spotify.me()

    assert profile.account_id == "aMiraSolberg"
    assert profile.id == "31sandboxmira"
    assert profile.display_name == "Mira Solberg"


def test_a_track_is_found_opened_saved_and_put_on_a_playlist(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify:
        found = spotify.search_tracks("lanterns", limit=3).items
        track = spotify.get_track(found[0].id)
        spotify.save_to_library([track.id])
        playlist = spotify.create_playlist("From Storify", "A day out")
        before = spotify.add_to_playlist(playlist.id, [track.id])
        after = spotify.add_to_playlist(playlist.id, [track.id])

    assert [one.title for one in found] == ["Paper Lanterns"]
    assert track == found[0]
    assert track.artists == ("The Slow Tram",)
    assert track.album == "Night Depot"
    assert track.release_date == "2021-03-12"
    assert track.duration_ms == 214_000
    assert track.spotify_url == f"https://open.spotify.com/track/{track.id}"
    assert playlist.name == "From Storify"
    assert before != after
    from accounts.spotify.sandbox import memory

    assert memory.library("mira") == [track.uri]
    kept = memory.find_playlist(playlist.id)
    assert kept is not None
    assert kept.uris == [track.uri, track.uri]
    assert kept.public is False


def test_audio_features_are_closed_to_apps_without_extended_access(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify, pytest.raises(NotAllowed):
        spotify.audio_features(["x"])


def test_audio_features_of_an_extended_app_leave_misses_out() -> None:
    features = {
        "id": "x", "danceability": 0.5, "energy": 0.6, "valence": 0.7, "key": 1, "loudness": -7.5,
        "mode": 1, "speechiness": 0.04, "acousticness": 0.2, "instrumentalness": 0, "liveness": 0.1,
        "tempo": 120.1, "time_signature": 4,
    }  # fmt: skip
    wire = FakeSpotify(lambda r: httpx.Response(200, json={"audio_features": [features, None]}))

    with Spotify(make_spotify_account(), transport=wire) as spotify:
        (one,) = spotify.audio_features(["x", "y"])

    assert (one.id, one.valence, one.energy, one.tempo) == ("x", 0.7, 0.6, 120.1)
    assert wire.asked[0].url.params["ids"] == "x,y"


def test_an_unknown_track_is_not_found(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify, pytest.raises(NotFound):
        spotify.get_track("nothing/../like%this")


@pytest.mark.parametrize("limit", [0, 11])
def test_a_search_beyond_spotifys_limit_is_never_sent(limit: int) -> None:
    wire = FakeSpotify()

    with (
        Spotify(make_spotify_account(), transport=wire) as spotify,
        pytest.raises(ValueError, match="limit"),
    ):
        spotify.search_tracks("rain", limit=limit)

    assert not wire.asked


@pytest.mark.parametrize("body", ["not json", "[]", '{"tracks": null}', '{"tracks": {}}'])
def test_an_answer_that_makes_no_sense_is_an_error_of_the_family(body: str) -> None:
    wire = FakeSpotify(lambda request: httpx.Response(200, text=body))

    with (
        Spotify(make_spotify_account(), transport=wire) as spotify,
        pytest.raises(SpotifyUnavailable),
    ):
        spotify.search_tracks("rain")


@pytest.mark.parametrize(
    ("api", "error"),
    [
        (refuse(400), SpotifyError),
        (refuse(403), NotOnAllowList),
        (refuse(404), NotFound),
        (refuse(500), SpotifyUnavailable),
        (refuse(503), SpotifyUnavailable),
    ],
)
def test_each_status_has_its_error(api: Handler, error: type[SpotifyError]) -> None:
    with (
        Spotify(make_spotify_account(), transport=FakeSpotify(api)) as spotify,
        pytest.raises(SpotifyError) as caught,
    ):
        spotify.me()

    assert type(caught.value) is error


def test_a_silent_spotify_is_unavailable() -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["read"] == 8.0
        raise httpx.ReadTimeout("", request=request)

    with (
        Spotify(make_spotify_account(), transport=FakeSpotify(silence)) as spotify,
        pytest.raises(SpotifyUnavailable),
    ):
        spotify.me()
