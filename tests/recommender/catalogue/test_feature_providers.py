from collections.abc import Callable, Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommender import tasks
from recommender.catalogue import reccobeats
from recommender.catalogue.feature_providers import (
    FeatureProvider,
    Features,
    ImportedFeatures,
    ProviderError,
    ReccoBeatsFeatures,
    SpotifyFeatures,
    providers,
)
from recommender.models import FeatureMiss, Track
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
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body, headers=headers)

    return httpx.MockTransport(answer), requests


def failing(error: Callable[..., Exception]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return httpx.MockTransport(answer)


def test_reccobeats_answers_are_matched_by_address_in_any_order() -> None:
    transport, requests = answering({"content": [item(SECOND, energy=0.1), item("else")]})
    found = reccobeats.audio_features([FIRST, SECOND], transport=transport)
    assert {track_id: f["energy"] for track_id, f in found.items()} == {SECOND: 0.1}
    assert requests[0].url.host == "api.reccobeats.com"
    assert requests[0].url.params["ids"] == f"{FIRST},{SECOND}"


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


def test_429_keeps_quiet_for_as_long_as_it_says() -> None:
    transport, requests = answering({}, 429, **{"Retry-After": "7200"})
    for _ in range(3):
        with pytest.raises(ProviderError):
            ReccoBeatsFeatures(transport).features([FIRST])
    assert len(requests) == 1
    state = reccobeats.CIRCUIT_BREAKER.open_state()
    assert state
    assert timedelta(minutes=119) < state.until - timezone.now() <= timedelta(hours=2)


def test_server_that_is_down_is_left_alone_for_a_while() -> None:
    transport, requests = answering({}, 503)
    for _ in range(3):
        with pytest.raises(ProviderError):
            ReccoBeatsFeatures(transport).features([FIRST])
    assert len(requests) == 1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"content": [' + "1" * 2_000_000, "\xff\xfe"])
def test_endless_or_broken_answers_are_provider_errors(text: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=text))
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(transport).features([FIRST])


def test_answer_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reccobeats, "MAX_SECONDS", -1.0)
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(answering({"content": []})[0]).features([FIRST])


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError])
def test_silence_is_a_provider_error(error: Callable[..., Exception]) -> None:
    with pytest.raises(ProviderError):
        ReccoBeatsFeatures(failing(error)).features([FIRST])


@pytest.mark.parametrize(
    "changed", [{"energy": 7}, {"valence": None}, {"tempo": "quick"}, {"energy": 10**400}]
)
def test_features_out_of_range_count_as_unknown(changed: dict[str, Any]) -> None:
    transport, _ = answering({"content": [item(FIRST, **changed), item(SECOND)]})
    assert set(ReccoBeatsFeatures(transport).features([FIRST, SECOND])) == {SECOND}


@pytest.mark.django_db
def test_spotify_that_refuses_is_a_provider_error_and_not_asked_again() -> None:
    transport, requests = answering({"error": {"status": 403}}, 403)
    account = make_spotify_account()
    for _ in range(2):
        with pytest.raises(ProviderError):
            SpotifyFeatures(account, transport).features([FIRST])
    assert len(requests) == 1


@pytest.mark.django_db
def test_spotify_with_extended_access_gives_features() -> None:
    full = item(FIRST, id=FIRST, key=1, mode=0, time_signature=4)
    units = ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness")
    transport, _ = answering({"audio_features": [{**full, **dict.fromkeys(units, 0.5)}, None]})
    found = SpotifyFeatures(make_spotify_account(), transport).features([FIRST, SECOND])
    assert found[FIRST]["tempo"] == 101.5


def lacking(**fields: Any) -> Track:
    return make_track(**{"source": Track.Source.SPOTIFY, "valence": None, "energy": None, **fields})


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
    transport, requests = answering({"content": [item(FIRST)]})
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
    assert requests[0].url.params["ids"] == FIRST


@pytest.mark.django_db
def test_many_tracks_are_asked_for_in_turns() -> None:
    for i in range(45):
        lacking(source_id=f"{i:022d}")
    transport, requests = answering({"content": []})
    assert fill_features(providers=[ReccoBeatsFeatures(transport)]) == 0
    assert [len(r.url.params["ids"].split(",")) for r in requests] == [40, 5]


@pytest.mark.django_db
def test_what_a_provider_does_not_know_is_not_asked_again_for_a_month() -> None:
    track = lacking(source_id=FIRST)
    transport, requests = answering({"content": []})
    for _ in range(3):
        fill_features(providers=[ReccoBeatsFeatures(transport)])
    assert len(requests) == 1
    FeatureMiss.objects.update(asked_at=timezone.now() - timedelta(days=31))
    fill_features(providers=[ReccoBeatsFeatures(transport)])
    assert len(requests) == 2
    assert FeatureMiss.objects.get().track == track


@pytest.mark.django_db
def test_a_run_that_was_stopped_is_gone_on_with() -> None:
    """No time left before the second batch; the next run asks for what the first did not."""
    for i in range(45):
        lacking(source_id=f"{i:022d}")
    transport, requests = answering({"content": [item(f"{i:022d}") for i in range(45)]})
    provider = ReccoBeatsFeatures(transport)
    assert fill_features(providers=[provider], seconds=0) == 0
    assert requests == []
    first = provider.features([t.source_id for t in Track.objects.order_by("pk")[:40]])
    assert len(first) == 40
    assert fill_features(providers=[provider]) == 45
    assert fill_features(providers=[provider]) == 0
    assert len(requests) == 3


@pytest.mark.django_db
def test_a_failure_on_the_way_keeps_what_was_found_before() -> None:
    for i in range(45):
        lacking(source_id=f"{i:022d}")
    answers = [httpx.Response(200, json={"content": [item(f"{i:022d}") for i in range(45)]})]
    transport = httpx.MockTransport(
        lambda _: answers.pop() if answers else httpx.Response(429, headers={"Retry-After": "9"})
    )
    assert fill_features(providers=[ReccoBeatsFeatures(transport)]) == 40
    assert Track.objects.filter(energy=None).count() == 5
    assert not FeatureMiss.objects.exists()


@pytest.mark.django_db
def test_only_tracks_that_spotify_knows_are_asked_for() -> None:
    lacking(source_id="my-own-file")
    lacking(source=Track.Source.DEMO, source_id=FIRST)
    lacking(source_id=SECOND, expires_at=timezone.now() - timedelta(days=1))
    transport, requests = answering({"content": []})
    assert fill_features(providers=[ReccoBeatsFeatures(transport)]) == 0
    assert requests == []


@pytest.mark.django_db
def test_the_same_track_from_two_sources_is_filled_twice() -> None:
    lacking(source_id=FIRST)
    lacking(source_id=FIRST, source=Track.Source.IMPORT)
    transport, requests = answering({"content": [item(FIRST)]})
    assert fill_features(providers=[ReccoBeatsFeatures(transport)]) == 2
    assert requests[0].url.params["ids"] == FIRST


@pytest.mark.django_db
def test_track_deleted_meanwhile_harms_nobody() -> None:
    track = lacking(source_id=FIRST)

    def answer(_: httpx.Request) -> httpx.Response:
        track.delete()
        return httpx.Response(200, json={"content": []})

    provider = ReccoBeatsFeatures(httpx.MockTransport(answer))
    assert fill_features(providers=[provider]) == 0


@pytest.mark.django_db
def test_settings_name_the_providers_and_nobody_s_account_is_borrowed(settings: Any) -> None:
    settings.FEATURE_PROVIDERS = ["reccobeats", "import", "spotify"]
    assert [one.name for one in providers()] == ["sandbox", "reccobeats", "import"]
    settings.SPOTIFY_SANDBOX = False
    assert [one.name for one in providers()] == ["reccobeats", "import"]
    account = make_spotify_account()
    assert [one.name for one in providers()] == ["reccobeats", "import"]
    theirs = providers(account=account)
    assert [one.name for one in theirs] == ["reccobeats", "import", "spotify"]
    settings.FEATURE_PROVIDERS = ["napster"]
    with pytest.raises(ImproperlyConfigured, match="napster"):
        providers()


@pytest.mark.django_db
def test_people_s_own_music_comes_before_the_catalogue(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FEATURE_PROVIDERS = ["import"]
    asked: list[str] = []
    monkeypatch.setattr(
        ImportedFeatures,
        "features",
        lambda _, ids: asked.extend(ids) or {},  # type: ignore[func-returns-value]
    )
    for number in range(5):
        lacking(source=Track.Source.IMPORT, source_id=f"{number:022d}")
    own = lacking(source=Track.Source.SPOTIFY, source_id=FIRST)

    tasks.fill_features()

    assert asked[0] == own.source_id
    assert len(asked) == 6


@pytest.mark.django_db
def test_task_and_command_fill_in_what_files_know(settings: Any) -> None:
    settings.FEATURE_PROVIDERS = ["import"]
    make_track(source_id=FIRST, valence=0.9)
    track = lacking(source_id=FIRST)
    tasks.fill_features()
    track.refresh_from_db()
    assert track.valence == 0.9
    lacking(source_id=SECOND)
    call_command("fill_features", stdout=(out := StringIO()))
    assert out.getvalue().strip() == "0 tracks filled in, 1 still lack features."
    settings.FEATURE_PROVIDERS = []
    with pytest.raises(CommandError, match="no provider"):
        call_command("fill_features")
