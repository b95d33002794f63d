"""What Storify asks ReccoBeats, and what the sandbox answers, is as reccobeats.com/docs/apis says.

ReccoBeats publishes no document with a licence, so the facts that it states are written down here.
"""

from typing import Any

import httpx
import jsonschema
import pytest
from django.test import Client

from accounts.spotify.sandbox import songs
from recommender.catalogue import reccobeats
from recommender.sandbox import views

TEXT, WHOLE, SHARE = {"type": "string"}, {"type": "integer"}, {"type": "number"}
UNIT = {"type": "number", "minimum": 0, "maximum": 1}
ADDRESS = {"type": "string", "pattern": "^https://open\\.spotify\\.com/track/[0-9A-Za-z]{22}$"}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}


def listing(properties: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "object", "properties": properties, "required": [*properties]}
    content = {"type": "array", "items": item, "minItems": 1}
    return {"type": "object", "properties": {"content": content}, "required": ["content"]}


TRACKS = listing(
    {
        "id": UUID,
        "trackTitle": TEXT,
        "artists": {"type": "array", "items": {"type": "object", "required": ["id", "name"]}},
        "durationMs": WHOLE,
        "isrc": TEXT,
        "href": ADDRESS,
        "popularity": {"type": "integer", "minimum": 0, "maximum": 100},
    }
)
FEATURES = listing(
    {
        "id": UUID,
        "href": ADDRESS,
        **dict.fromkeys(("acousticness", "danceability", "energy", "instrumentalness"), UNIT),
        **dict.fromkeys(("liveness", "speechiness", "valence"), UNIT),
        "loudness": {"type": "number", "minimum": -60, "maximum": 0},
        "tempo": SHARE,
    }
)
IDS = ",".join(song.id for song in songs.generated()[:40])


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (f"audio-features?ids={IDS}", FEATURES),
        (f"track?ids={IDS}", TRACKS),
        (f"track/recommendation?seeds={IDS[:68]}&size=30&valence=0.9&energy=0.9", TRACKS),
        (f"track/recommendation?seeds={IDS[:68]}", TRACKS),
    ],
)
def test_answers_fit_the_description(client: Client, path: str, schema: dict[str, Any]) -> None:
    response = client.get(f"/sandbox/reccobeats/v1/{path}")

    assert response.status_code == 200
    jsonschema.validate(response.json(), schema)


# --- what is asked ---

ADDRESS_OF_API = "https://api.reccobeats.com/v1"
MOST_IDS, MOST_SEEDS, MOST_RECOMMENDED = 40, 5, 100
SOUND = (
    *("acousticness", "danceability", "energy", "instrumentalness", "liveness"),
    *("speechiness", "tempo", "valence"),
)
# Of each path: the parameters that it needs, and those that it takes.
PARAMETERS: dict[str, tuple[set[str], set[str]]] = {
    "/audio-features": ({"ids"}, {"ids"}),
    "/track": ({"ids"}, {"ids"}),
    "/track/recommendation": ({"seeds"}, {"seeds", "size", *SOUND}),
}


@pytest.fixture
def asked() -> list[httpx.Request]:
    """Every call of the client's, each with as much as it may ask for."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"content": []})

    wire, ids = httpx.MockTransport(answer), [f"{number:022d}" for number in range(MOST_IDS)]
    reccobeats.audio_features(ids, transport=wire)
    reccobeats.tracks(ids, transport=wire)
    reccobeats.recommendations(
        ids[:MOST_SEEDS], valence=1.0, energy=0.0, size=MOST_RECOMMENDED, transport=wire
    )
    return requests


def test_each_call_is_described_and_asks_for_nothing_unknown(asked: list[httpx.Request]) -> None:
    assert {str(one.url.copy_with(query=None)) for one in asked} == {
        f"{ADDRESS_OF_API}{path}" for path in PARAMETERS
    }
    for request in asked:
        needed, known = PARAMETERS[request.url.path.removeprefix("/v1")]
        assert request.method == "GET"
        assert needed <= {*request.url.params} <= known


def test_lists_are_separated_by_commas_and_targets_are_shares(asked: list[httpx.Request]) -> None:
    *by_ids, recommendation = (request.url.params for request in asked)

    assert [len(one["ids"].split(",")) for one in by_ids] == [MOST_IDS, MOST_IDS]
    assert len(recommendation["seeds"].split(",")) == MOST_SEEDS
    assert (recommendation["valence"], recommendation["energy"]) == ("1.00", "0.00")
    assert recommendation["size"] == str(MOST_RECOMMENDED)


def test_client_and_sandbox_keep_its_limits() -> None:
    of_client = (reccobeats.LIMIT, reccobeats.MOST_SEEDS, reccobeats.MOST_RECOMMENDATIONS)
    of_sandbox = (views.MOST_IDS, views.MOST_SEEDS, views.MOST_SIZE)

    assert of_client == of_sandbox == (MOST_IDS, MOST_SEEDS, MOST_RECOMMENDED)


@pytest.mark.parametrize(
    "path",
    [
        "audio-features",
        "track?ids=",
        f"audio-features?ids={IDS},{IDS[:22]}",
        "track/recommendation?size=10",
        f"track/recommendation?seeds={IDS[: 6 * 23 - 1]}",
        f"track/recommendation?seeds={IDS[:22]}&size=101",
        f"track/recommendation?seeds={IDS[:22]}&valence=1.5",
    ],
)
def test_what_it_does_not_take_is_a_400(client: Client, path: str) -> None:
    assert client.get(f"/sandbox/reccobeats/v1/{path}").status_code == 400


def test_limits_answer_429_with_seconds_to_wait(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_CALLS", 1)
    first, second = (client.get(f"/sandbox/reccobeats/v1/track?ids={IDS[:22]}") for _ in range(2))

    assert first.status_code == 200
    assert second.status_code == 429
    assert 1 <= int(second["Retry-After"]) <= views.SPAN
