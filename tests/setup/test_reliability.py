"""What the reliability commands rely on: their uploads, what they count, and the access table."""

import io
import random
from collections.abc import Callable

import pytest
from django.urls import get_resolver
from PIL import Image

from storify_site.bench.reliability import access, chaos
from storify_site.bench.reliability.access_table import KINDS, TABLE, kind_of
from storify_site.bench.reliability.fuzz import fuzz, is_plain
from storify_site.bench.reliability.hostile import MADE, upload
from storify_site.bench.reliability.seeds import jpeg_segment, scene, seeds

FILES = seeds()


def plain_jpeg() -> bytes:
    out = io.BytesIO()
    scene().save(out, "JPEG", quality=90, progressive=True)
    return out.getvalue()


def test_an_upload_is_made_again_from_its_number() -> None:
    assert [upload(n, 1, FILES) for n in range(32)] == [upload(n, 1, FILES) for n in range(32)]
    assert upload(1, 1, FILES) != upload(1, 2, FILES)


@pytest.mark.parametrize("name", MADE)
def test_every_hostile_upload_can_be_made(name: str) -> None:
    for number in range(3 if "unpacks" not in name else 1):
        assert isinstance(MADE[name](random.Random(number), FILES), bytes)


@pytest.mark.parametrize(
    "hide",
    [
        lambda jpeg: jpeg + b"behind",
        lambda jpeg: jpeg[:2] + jpeg_segment(0xE1, b"Exif") + jpeg[2:],
        lambda jpeg: jpeg[:2] + jpeg_segment(0xFE, b"a comment") + jpeg[2:],
        lambda jpeg: jpeg[:-2],
    ],
)
def test_what_is_hidden_in_a_stored_picture_is_noticed(hide: Callable[[bytes], bytes]) -> None:
    assert is_plain(plain_jpeg())
    assert not is_plain(hide(plain_jpeg()))


def test_the_seeds_are_whole_and_uploads_go_through_the_sandbox() -> None:
    assert all(Image.open(io.BytesIO(FILES[name])).size for name in ("jpeg", "png", "avif"))
    result = fuzz(6, seed=3, limit_seconds=60)
    assert result["n"] == 6
    assert result["accepted"] + sum(result["refused"].values()) == 6
    assert result["uncaught"] == result["hidden"] == []
    assert result["megabytes"] > 0


def test_a_story_that_is_lost_or_there_twice_is_counted() -> None:
    history = [{"id": one, "status": "ready"} for one in ("a", "b", "twin")]
    counted = chaos._counted(["a", "b", "away", None], history)
    assert (counted["lost"], counted["twice"], counted["never_accepted"]) == (1, 1, 1)


def test_every_address_is_in_the_table() -> None:
    names = {name for name, _ in access.routes(get_resolver().url_patterns)}
    assert [name for name in sorted(names) if kind_of(name) is None] == []
    assert sorted(TABLE.keys() - names) == []


@pytest.mark.django_db
def test_visitors_get_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    some = {kind: name for name, kind in reversed([*TABLE.items()])}
    assert some.keys() == KINDS.keys()
    walked = {some[kind] for kind in KINDS}
    assert access.measure_access(walked.__contains__)["wrong"] == []

    monkeypatch.setattr(access, "kind_of", lambda _name: "reviewer")
    wrong = access.measure_access({"stories:history"}.__contains__)["wrong"]
    assert "GET stories:history as owner: in, not 403" in wrong
