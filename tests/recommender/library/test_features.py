import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from accounts.spotify.app import SANDBOX_ID_PREFIX
from recommender.catalogue import reccobeats
from recommender.catalogue.feature_providers import (
    FeatureProvider,
    ImportedFeatures,
    ReccoBeatsFeatures,
)
from recommender.library.features import fill_library, fill_popularity
from recommender.library.store import Found, store_tracks
from recommender.models import FeatureMiss, LibraryTrack, Track
from recommender.services.imports import import_tracks
from tests.factories import make_track, make_user
from tests.recommender.library.factories import make_own_track
from tests.recommender.library.fake_library import FakeReccoBeats

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def make_unknown_track(user: User, **fields: Any) -> Track:
    return make_own_track(user, **{"valence": None, "energy": None, **fields})


def fill(user: User, wire: FakeReccoBeats) -> int:
    sources: list[FeatureProvider] = [ImportedFeatures(), ReccoBeatsFeatures(transport=wire)]
    return fill_library(user=user, sources=sources, transport=wire)


def asked(wire: FakeReccoBeats, ending: str) -> list[list[str]]:
    urls = [request.url for request in wire.asked if request.url.path.endswith(ending)]
    return [url.params["ids"].split(",") for url in urls]


def test_features_come_from_the_catalogue_by_id_then_by_recording(user: User) -> None:
    by_id, by_isrc = make_unknown_track(user), make_unknown_track(user, isrc="GBAYE0601498")
    make_track(source_id=by_id.source_id, valence=0.11)
    make_track(isrc="GBAYE0601498", valence=0.22)
    wire = FakeReccoBeats()
    assert fill(user, wire) == 2
    held = LibraryTrack.objects.filter(user=user)
    assert {one.track_id: one.valence for one in held} == {by_id.pk: 0.11, by_isrc.pk: 0.22}
    assert asked(wire, "/audio-features") == []


def test_the_rest_comes_from_reccobeats_in_batches_of_40(user: User) -> None:
    for _ in range(50):
        make_unknown_track(user)
    wire = FakeReccoBeats()
    assert fill(user, wire) == 50
    assert [len(ids) for ids in asked(wire, "/audio-features")] == [40, 10]
    assert [len(ids) for ids in asked(wire, "/track")] == [40, 10]
    track = Track.objects.all()[0]
    assert (track.valence, track.popularity, track.isrc) == (0.6, 61, "GBAYE0601498")
    assert set(LibraryTrack.objects.values_list("valence", "energy")) == {(0.6, 0.5)}


def test_popularity_that_takes_long_is_left_to_the_next_run(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(90):
        make_own_track(user)
    wire, now = FakeReccoBeats(), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 30 * len(wire.asked))
    fill(user, wire)
    assert [len(ids) for ids in asked(wire, "/track")] == [40, 40]
    fill_popularity(transport=wire)
    assert [len(ids) for ids in asked(wire, "/track")] == [40, 40, 10]
    assert not Track.objects.filter(popularity=None).exists()


def test_one_bad_id_costs_only_itself_and_is_a_miss(user: User) -> None:
    tracks = [make_unknown_track(user) for _ in range(8)]
    bad = tracks[3]
    wire = FakeReccoBeats(refused=(bad.source_id,))
    assert fill(user, wire) == 7
    assert FeatureMiss.objects.get(provider="reccobeats").track == bad
    n = len(wire.asked)
    assert fill(user, wire) == 0
    assert len(wire.asked) == n


def test_reccobeats_learns_ids_and_nothing_else(user: User) -> None:
    track = make_unknown_track(user)
    wire = FakeReccoBeats()
    fill(user, wire)
    for request in wire.asked:
        assert dict(request.url.params) == {"ids": track.source_id}
        assert {"authorization", "cookie", "referer"}.isdisjoint(request.headers)
        assert request.content == b""


def test_a_paused_reccobeats_leaves_what_the_catalogue_knows(user: User) -> None:
    known = make_unknown_track(user)
    make_unknown_track(user)
    make_track(source_id=known.source_id)
    down = FakeReccoBeats()
    down.answer = lambda request: httpx.Response(503)  # type: ignore[method-assign]
    down.handler = down.answer
    assert fill(user, down) == 1


def test_made_up_tracks_get_theirs_while_real_ones_wait(user: User) -> None:
    """They lie in one library, as when somebody imports a file beside the sandbox's music."""
    made_up = {
        make_unknown_track(user, source_id=f"{SANDBOX_ID_PREFIX}{n:014d}").pk for n in range(50)
    }
    for _ in range(50):
        make_unknown_track(user)
    half = FakeReccoBeats()
    answer = half.answer
    half.handler = lambda request: (
        httpx.Response(503) if request.url.host == "api.reccobeats.com" else answer(request)
    )
    sources: list[FeatureProvider] = [
        ReccoBeatsFeatures(half, service) for service in reversed(reccobeats.services())
    ]

    assert fill_library(user=user, sources=sources, transport=half) == 50

    assert {*Track.objects.exclude(valence=None).values_list("pk", flat=True)} == made_up
    assert {*Track.objects.exclude(popularity=None).values_list("pk", flat=True)} == made_up
    assert not FeatureMiss.objects.filter(provider="reccobeats").exclude(track__in=made_up)
    cache.delete(reccobeats.CIRCUIT_BREAKER.key)  # its pause is over
    assert fill(user, FakeReccoBeats()) == 50


def test_only_this_person_s_music_is_asked_for(user: User) -> None:
    make_unknown_track(make_user())
    wire = FakeReccoBeats()
    assert fill(user, wire) == 0
    assert wire.asked == []


def test_an_import_gives_moods_to_tracks_that_the_catalogue_did_not_know(
    user: User, tmp_path: Path
) -> None:
    track, file = make_unknown_track(user), tmp_path / "t.csv"
    catalogue = ImportedFeatures()
    assert fill_library(user=user, sources=[catalogue]) == 0
    file.write_text(f"track_id,name,artists,energy,valence\n{track.source_id},Song,Ada,0.5,0.11\n")
    import_tracks(source=str(file), check=True)
    assert FeatureMiss.objects.get().track == track
    import_tracks(source=str(file))
    assert fill_library(user=user, sources=[catalogue]) == 1
    assert LibraryTrack.objects.get(user=user).valence == 0.11


def test_a_track_that_gained_an_isrc_from_reccobeats_is_looked_up_by_it(user: User) -> None:
    """ReccoBeats knows the recording, but not its features."""
    track = make_unknown_track(user)
    make_track(isrc="GBAYE0601498", valence=0.11)
    wire = FakeReccoBeats()
    answer, nothing = wire.answer, httpx.Response(200, json={"content": []})
    wire.handler = lambda request: (
        nothing if request.url.path.endswith("/audio-features") else answer(request)
    )
    assert [fill(user, wire), fill(user, wire)] == [0, 1]
    track.refresh_from_db()
    assert track.valence == 0.11


def test_a_track_that_gained_an_isrc_from_spotify_is_looked_up_by_it(user: User) -> None:
    gained, still_without = make_unknown_track(user), make_unknown_track(user)
    make_track(isrc="GBAYE0601498", valence=0.11)
    sources: list[FeatureProvider] = [ImportedFeatures()]
    assert fill_library(user=user, sources=sources) == 0
    found = [
        Found(gained.source_id, "Song", ["Ada"], about={"isrc": "GBAYE0601498"}),
        Found(still_without.source_id, "Song", ["Ada"], about={"isrc": ""}),
    ]
    until = timezone.now() + timedelta(days=30)
    store_tracks(user=user, source=LibraryTrack.Source.SAVED, found=found, expires_at=until)
    assert FeatureMiss.objects.get().track == still_without
    assert fill_library(user=user, sources=sources) == 1
    gained.refresh_from_db()
    assert gained.valence == 0.11
