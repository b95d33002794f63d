import io
import wave
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.web.byte_ranges import RangeNotSatisfiableError, requested_range
from recommender.catalogue import audio
from recommender.catalogue.demo.recipe import recipe_for
from recommender.models import Track
from tests.factories import make_track


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    return tmp_path / "audio"


@pytest.fixture
def address(db: None) -> str:
    recipe = recipe_for(valence=0.5, energy=0.9, seed=1).to_json()
    track = make_track(source=Track.Source.DEMO, recipe=recipe)
    return reverse("recommender:audio", args=[track.pk])


def test_sound_is_a_wav_file_for_anybody(client: Client, address: str) -> None:
    response = client.get(address)
    assert address.endswith("/audio.wav")
    assert response.status_code == 200
    assert response["Content-Type"] == "audio/wav"
    assert response["Accept-Ranges"] == "bytes"
    with wave.open(io.BytesIO(response.content)) as file:
        assert file.getnframes() / file.getframerate() > 19


@pytest.mark.parametrize(
    ("header", "part", "content_range"),
    [
        ("bytes=0-1", slice(0, 2), "bytes 0-1/{size}"),
        ("bytes=1000-", slice(1000, None), "bytes 1000-{last}/{size}"),
        ("bytes=-500", slice(-500, None), "bytes {from_end}-{last}/{size}"),
        ("bytes=10-99999999999", slice(10, None), "bytes 10-{last}/{size}"),
    ],
)
def test_players_may_seek(
    client: Client, address: str, header: str, part: slice, content_range: str
) -> None:
    whole = client.get(address).content
    response = client.get(address, headers={"Range": header})
    size = len(whole)
    assert response.status_code == 206
    assert response.content == whole[part]
    result = content_range.format(size=size, last=size - 1, from_end=size - 500)
    assert response["Content-Range"] == result
    assert int(response["Content-Length"]) == len(response.content)


def test_seeking_past_the_end_is_refused(client: Client, address: str) -> None:
    size = len(client.get(address).content)
    response = client.get(address, headers={"Range": f"bytes={size}-"})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{size}"


def test_known_sound_is_not_sent_again(client: Client, address: str) -> None:
    etag = client.get(address)["ETag"]
    response = client.get(address, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")


def test_range_of_another_version_gives_the_whole(client: Client, address: str) -> None:
    response = client.get(address, headers={"Range": "bytes=0-1", "If-Range": '"old"'})
    assert response.status_code == 200


def test_only_demo_tracks_have_a_sound(client: Client, address: str) -> None:
    imported = make_track()
    for track_id in (imported.pk, uuid4()):
        assert client.get(reverse("recommender:audio", args=[track_id])).status_code == 404
    assert client.post(address).status_code == 405


def test_a_tune_is_rendered_once(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    recipe = recipe_for(valence=0.1, energy=0.1, seed=1).to_json()
    first = audio.wav(recipe)
    monkeypatch.setattr(audio, "render", None)
    assert audio.wav(recipe) == first
    assert [path.suffix for path in cache_folder.iterdir()] == [".wav"]


def test_old_files_make_room(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    monkeypatch.setattr(audio, "MAX_CACHED_FILES", 2)
    for seed in (1, 2, 3):
        audio.wav(recipe_for(valence=0.5, energy=0.9, seed=seed).to_json())
    assert len(list(cache_folder.iterdir())) == 2


@given(st.text(max_size=30), st.integers(1, 1000))
def test_any_header_gives_a_part_or_the_whole_or_a_refusal(header: str, size: int) -> None:
    try:
        part = requested_range(header, size)
    except RangeNotSatisfiableError:
        return
    assert part is None or (0 <= part.start < part.stop <= size)


@given(st.integers(0, 100), st.integers(0, 200), st.integers(1, 100))
def test_well_formed_ranges_are_cut_to_the_size(first: int, last: int, size: int) -> None:
    header = f"bytes={first}-{last}"
    if last < first:
        assert requested_range(header, size) is None
    elif first >= size:
        with pytest.raises(RangeNotSatisfiableError):
            requested_range(header, size)
    else:
        assert requested_range(header, size) == range(first, min(last + 1, size))
