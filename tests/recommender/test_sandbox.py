"""The sandbox's ReccoBeats."""

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from accounts.spotify.sandbox import songs
from recommender.catalogue import reccobeats
from recommender.catalogue.feature_providers import ReccoBeatsFeatures
from recommender.sandbox import music, views
from tests.accounts.conftest import SandboxTransport

SANDBOX = reccobeats.services()[0]
IDS = [song.id for song in songs.generated()[:40]]


def test_it_knows_how_most_songs_sound() -> None:
    found = ReccoBeatsFeatures(SandboxTransport(), SANDBOX).features(IDS)

    assert 35 <= len(found) < 40
    assert set(found) == {one for one in IDS if music.known(one)}
    assert all(0.0 <= float(one["valence"]) <= 1.0 for one in found.values())


def test_editions_of_a_song_sound_the_same() -> None:
    twins = [song for song in songs.ODD if song.title == "Twice Pressed"]

    assert music.features(twins[0]) == music.features(twins[1])


def test_it_gives_isrc_and_popularity() -> None:
    found = reccobeats.tracks(IDS, service=SANDBOX, transport=SandboxTransport())

    song = songs.by_id()[next(iter(found))]
    assert found[song.id].isrc == song.isrc


def test_recommendations_lie_near_the_mood_and_are_no_seeds() -> None:
    seeds = [one for one in IDS if music.known(one)][:3]

    calm = reccobeats.recommendations(
        seeds, valence=0.2, energy=0.1, size=10, transport=SandboxTransport()
    )

    assert len(calm) == 10
    assert not {one.spotify_id for one in calm} & set(seeds)
    energies = [music.recipe(songs.by_id()[one.spotify_id]).energy for one in calm]
    assert max(energies) < 0.4


def test_unknown_ids_are_left_out_and_malformed_ones_refused(client: Client) -> None:
    unknown = client.get("/sandbox/reccobeats/v1/track?ids=" + "0" * 22)
    malformed = client.get("/sandbox/reccobeats/v1/track?ids=" + IDS[0] + ",nonsense")
    many = client.get("/sandbox/reccobeats/v1/track?ids=" + ",".join([IDS[0]] * 41))

    assert unknown.json() == {"content": []}
    assert (malformed.status_code, many.status_code) == (400, 400)


@pytest.mark.parametrize(
    "query", ["", "seeds=" + "0" * 22, "seeds={}&size=0", "seeds={}&size=101", "seeds={}&energy=2"]
)
def test_a_wrong_recommendation_is_refused(client: Client, query: str) -> None:
    path = "/sandbox/reccobeats/v1/track/recommendation?" + query.format(IDS[1])

    assert client.get(path).status_code == 400


def test_too_many_calls_are_a_429(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_CALLS", 1)
    monkeypatch.setattr("recommender.sandbox.views.time.time", lambda: 12.0)
    cache.delete("sandbox:reccobeats:calls:1")
    path = f"/sandbox/reccobeats/v1/track?ids={IDS[0]}"

    assert client.get(path).status_code == 200
    refused = client.get(path)

    assert (refused.status_code, refused["Retry-After"]) == (429, "8")


def test_a_song_can_be_heard(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "recommender.catalogue.audio.wav", lambda recipe: b"RIFF" + recipe["timbre"].encode()
    )

    response = client.get(f"/sandbox/reccobeats/sound/{IDS[0]}.wav")

    assert response["Content-Type"] == "audio/wav"
    assert response.content.startswith(b"RIFF")
    assert client.get("/sandbox/reccobeats/sound/unknown.wav").status_code == 404


def test_it_is_shut_where_the_sandbox_is_off(client: Client, settings: LazySettings) -> None:
    settings.SPOTIFY_SANDBOX = False

    assert client.get(f"/sandbox/reccobeats/v1/track?ids={IDS[0]}").status_code == 404
    assert client.get(f"/sandbox/reccobeats/sound/{IDS[0]}.wav").status_code == 404
