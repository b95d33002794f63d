from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from recommender import reccobeats
from recommender.models import Track
from recommender.providers import (
    FeatureProvider,
    Features,
    ImportedFeatures,
    ProviderError,
    ReccoBeatsFeatures,
    SpotifyFeatures,
)
from recommender.services.features import fill_features
from tests.factories import make_spotify_account, make_track

FIRST, SECOND = "6f807x0ima9a1j3VPbc7VN", "0r7CVbZTWZgbTCYdfa2P31"


def item(track_id: str, **changed: Any) -> dict[str, Any]:
    values = {
        "id": "878dadea-33c5-4c08-bdb9-e2b117475a99",
        "href": f"https://open.spotify.com/track/{track_id}",
        "valence": 0.3,
        "energy": 0.7,
        "tempo": 101.5,
        "loudness": -6.0,
    }
    return {**values, **changed}


def answering(
    body: object, status: int = 200, **headers: str
) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=body, headers=headers)

    return httpx.MockTransport(answer), asked


def failing(error: Callable[..., Exception]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return httpx.MockTransport(answer)


def test_reccobeats_answers_are_matched_by_address_in_any_order() -> None:
    transport, asked = answering({"content": [item(SECOND, energy=0.1), item("else")]})
    found = reccobeats.audio_features([FIRST, SECOND], transport=transport)
    assert {track_id: f["energy"] for track_id, f in found.items()} == {SECOND: 0.1}
    assert asked[0].url.host == "api.reccobeats.com"
    assert asked[0].url.params["ids"] == f"{FIRST},{SECOND}"


def test_reccobeats_is_asked_for_40_at_most() -> None:
    with pytest.raises(ValueError, match="40"):
        reccobeats.audio_features([FIRST] * 41)


@pytest.mark.parametrize(
    "body", [[], {"content": None}, {"nothing": 1}, "text", None, {"content": {"a": 1}}]
)
def test_rubbish_from_reccobeats_is_a_provider_error(body: object) -> None:
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(answering(body)[0]).features([FIRST])


def test_page_instead_of_json_is_a_provider_error() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(transport).features([FIRST])


def test_refusal_tells_when_to_come_back() -> None:
    transport, _ = answering({}, 429, **{"Retry-After": "120"})
    with pytest.raises(reccobeats.ReccoBeatsError) as raised:
        reccobeats.audio_features([FIRST], transport=transport)
    assert raised.value.retry_after == 120


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError])
def test_silence_is_a_provider_error(error: Callable[..., Exception]) -> None:
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(failing(error)).features([FIRST])


@pytest.mark.parametrize("changed", [{"energy": 7}, {"valence": None}, {"tempo": "quick"}])
def test_features_out_of_range_count_as_unknown(changed: dict[str, Any]) -> None:
    transport, _ = answering({"content": [item(FIRST, **changed), item(SECOND)]})
    assert set(ReccoBeatsFeatures(transport).features([FIRST, SECOND])) == {SECOND}


@pytest.mark.django_db
def test_spotify_that_refuses_is_a_provider_error() -> None:
    transport, _ = answering({"error": {"status": 403}}, 403)
    with pytest.raises(ProviderError):
        SpotifyFeatures(make_spotify_account(), transport).features([FIRST])


@pytest.mark.django_db
def test_spotify_with_extended_access_gives_features() -> None:
    full = item(FIRST, id=FIRST, key=1, mode=0, time_signature=4)
    units = ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness")
    transport, _ = answering({"audio_features": [{**full, **dict.fromkeys(units, 0.5)}, None]})
    found = SpotifyFeatures(make_spotify_account(), transport).features([FIRST, SECOND])
    assert found[FIRST]["tempo"] == 101.5


class Failing:
    name = "failing"
    limit = 10

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        raise ProviderError("not today")


@pytest.mark.django_db
def test_a_failing_provider_is_passed_over() -> None:
    empty = {"valence": None, "energy": None, "source": Track.Source.SPOTIFY}
    first = make_track(source_id=FIRST, **empty)
    second = make_track(source_id=SECOND, **empty)
    make_track(source_id=SECOND, valence=0.9, energy=0.2)
    transport, asked = answering({"content": [item(FIRST)]})
    providers: list[FeatureProvider] = [
        Failing(),
        ImportedFeatures(),
        ReccoBeatsFeatures(transport),
    ]
    assert fill_features(providers=providers) == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.valence, first.tempo) == (0.3, 101.5)
    assert (second.valence, second.energy) == (0.9, 0.2)
    assert asked[0].url.params["ids"] == FIRST


@pytest.mark.django_db
def test_many_tracks_are_asked_for_in_turns() -> None:
    for i in range(45):
        make_track(source_id=f"{i:022d}", valence=None, source=Track.Source.SPOTIFY)
    transport, asked = answering({"content": []})
    assert fill_features(providers=[ReccoBeatsFeatures(transport)]) == 0
    assert [len(r.url.params["ids"].split(",")) for r in asked] == [40, 5]
