"""What ReccoBeats is told, and what is read of its answers."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from accounts.spotify.app import SANDBOX_ID_PREFIX
from recommender.catalogue import reccobeats
from recommender.catalogue.reccobeats import ReccoBeatsError, TrackFacts

FIRST, SECOND = "6f807x0ima9a1j3VPbc7VN", "0r7CVbZTWZgbTCYdfa2P31"
MADE_UP = SANDBOX_ID_PREFIX.ljust(22, "x")


class Wire(httpx.MockTransport):
    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(self.take)
        self.reply, self.asked = answer, list[httpx.Request]()

    def take(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.reply(request)


def item(track_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": "878dadea-33c5-4c08-bdb9-e2b117475a99",
        "href": f"https://open.spotify.com/track/{track_id}",
        "trackTitle": "Rain",
        "artists": [{"id": "a", "name": "Somebody"}],
        "durationMs": 200_000,
        "isrc": "NL-A32-05-00001",
        "popularity": 61,
        **changed,
    }


def knowing(*bad: str, status: int = 400) -> Wire:
    """Answers with every track asked for, and refuses a batch with a bad id."""

    def answer(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["ids"].split(",")
        if set(ids) & set(bad):
            return httpx.Response(status, json={"error": "bad id"})
        return httpx.Response(200, json={"content": [item(one) for one in ids]})

    return Wire(answer)


def ids(n: int) -> list[str]:
    return [f"{number:022d}" for number in range(n)]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refused_batch_is_halved_until_the_bad_id_is_found(status: int) -> None:
    bad = ids(40)[17]
    wire = knowing(bad, status=status)

    found = reccobeats.audio_features(ids(40), transport=wire)

    assert set(found) == {*ids(40)} - {bad}
    assert len(wire.asked) <= 1 + 2 * 6
    assert not reccobeats.CIRCUIT_BREAKER.is_open()


def test_a_single_bad_id_is_a_miss() -> None:
    assert reccobeats.audio_features([FIRST], transport=knowing(FIRST)) == {}


def test_a_service_that_refuses_everything_is_left_alone() -> None:
    wire = knowing(*ids(8))

    for _ in range(2):
        with pytest.raises(ReccoBeatsError):
            reccobeats.audio_features(ids(8), transport=wire)

    assert len(wire.asked) == 15


def test_tracks_have_isrc_and_popularity() -> None:
    content = [item(FIRST), item(SECOND, isrc=None, popularity="many"), item("other")]
    wire = Wire(lambda request: httpx.Response(200, json={"content": content}))

    found = reccobeats.tracks([FIRST, SECOND], transport=wire)

    assert found == {FIRST: TrackFacts("NLA320500001", 61), SECOND: TrackFacts("", None)}
    assert wire.asked[0].url.path == "/v1/track"


def test_recommendations_are_tracks_that_can_be_played() -> None:
    content = [
        item(SECOND),
        item(FIRST, href="https://open.spotify.com/intl-de/track/" + FIRST + "?si=1", artists=None),
        item("x", href="https://elsewhere.example/track/x"),
        item("y", trackTitle=None),
        "nonsense",
    ]
    wire = Wire(lambda request: httpx.Response(200, json={"content": content}))

    found = reccobeats.recommendations([FIRST], valence=0.123456, energy=0.9, transport=wire)

    assert [(one.spotify_id, one.title, one.artists) for one in found] == [
        (SECOND, "Rain", ("Somebody",)),
        (FIRST, "Rain", ()),
    ]
    assert dict(wire.asked[0].url.params) == {
        "seeds": FIRST, "size": "20", "valence": "0.12", "energy": "0.90",
    }  # fmt: skip


def test_refused_seeds_recommend_nothing() -> None:
    wire = Wire(lambda request: httpx.Response(400))

    assert reccobeats.recommendations([FIRST], valence=0.5, energy=0.5, transport=wire) == []


@pytest.mark.parametrize(("seeds", "size"), [(0, 1), (6, 1), (1, 0), (1, 101)])
def test_more_than_it_allows_is_never_sent(seeds: int, size: int) -> None:
    with pytest.raises(ValueError, match="1 to"):
        reccobeats.recommendations(ids(seeds), valence=0.5, energy=0.5, size=size)


def test_it_is_told_ids_and_nothing_about_anybody() -> None:
    wire = knowing()

    reccobeats.audio_features([FIRST], transport=wire)

    (request,) = wire.asked
    assert str(request.url) == f"https://api.reccobeats.com/v1/audio-features?ids={FIRST}"
    assert not {"authorization", "cookie", "referer", "from"} & {*request.headers}
    assert request.read() == b""


def test_made_up_tracks_are_asked_of_the_sandbox_alone(settings: LazySettings) -> None:
    wire, asked = knowing(), [MADE_UP, FIRST]
    sandbox, real = reccobeats.services()

    assert set(reccobeats.audio_features(asked, service=sandbox, transport=wire)) == {MADE_UP}
    assert set(reccobeats.audio_features(asked, service=real, transport=wire)) == {FIRST}

    assert [str(one.url) for one in wire.asked] == [
        f"{settings.SITE_URL}/sandbox/reccobeats/v1/audio-features?ids={MADE_UP}",
        f"https://api.reccobeats.com/v1/audio-features?ids={FIRST}",
    ]
    settings.SPOTIFY_SANDBOX = False
    assert reccobeats.services() == [real]


def away(request: httpx.Request) -> httpx.Response:
    """The real service is down; the sandbox's answers."""
    if request.url.host == "api.reccobeats.com":
        return httpx.Response(503)
    return httpx.Response(200, json={"content": [item(MADE_UP)]})


def test_made_up_tracks_get_their_mood_while_the_real_service_is_away() -> None:
    sandbox, real = reccobeats.services()
    with pytest.raises(ReccoBeatsError):
        reccobeats.audio_features([FIRST], service=real, transport=Wire(away))

    found = reccobeats.audio_features([MADE_UP], service=sandbox, transport=Wire(away))
    assert set(found) == {MADE_UP}
    with pytest.raises(ReccoBeatsError, match="paused"):
        reccobeats.audio_features([FIRST], service=real, transport=knowing())


def test_recommendations_come_from_whichever_service_answers() -> None:
    found = reccobeats.recommendations(
        [MADE_UP, FIRST], valence=0.5, energy=0.5, transport=Wire(away)
    )

    assert [one.spotify_id for one in found] == [MADE_UP]
    with pytest.raises(ReccoBeatsError):
        reccobeats.recommendations([FIRST], valence=0.5, energy=0.5, transport=Wire(away))
