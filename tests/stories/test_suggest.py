from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from ml.labels import ACTIONS, EMOTIONS
from recommender.models import Suggestion, Track
from stories.models import Story
from tests.factories import make_photo_bytes
from tests.stories.conftest import FakeModels

pytestmark = pytest.mark.django_db


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.heic"
    path.write_bytes(make_photo_bytes(kind="HEIF"))
    return path


def suggest(*args: Any) -> str:
    out = io.StringIO()
    call_command("suggest", *args, stdout=out, skip_checks=True)
    return out.getvalue()


def test_json_has_tags_mood_and_tracks_with_reasons_and_stores_nothing(
    photo: Path, models: FakeModels, tracks: list[Track]
) -> None:
    result = json.loads(suggest(str(photo), "--caption", "We ran", "-n", "5", "--json"))
    assert set(result) == {"tags", "mood", "suggestions"}
    assert result["tags"]["emotion"]["label"] == "happy"
    assert set(result["tags"]["emotion"]["probabilities"]) == set(EMOTIONS)
    assert set(result["tags"]["action"]["probabilities"]) == set(ACTIONS)
    assert set(result["mood"]) == {"valence", "energy", "spread", "word", "certainty"}
    assert [one["rank"] for one in result["suggestions"]] == [1, 2, 3, 4, 5]
    for one in result["suggestions"]:
        assert {"track", "score", "terms", "reasons"} <= set(one)
        assert one["reasons"]
    assert models.calls == [{"size": (64, 48), "caption": "We ran", "faces": True}]
    for kept in (User, Story, Suggestion):
        assert not kept._default_manager.exists()


def test_text_is_for_people(photo: Path, models: FakeModels, tracks: list[Track]) -> None:
    result = suggest(str(photo))
    assert "emotion    happy (happy 70%" in result
    assert "action     running (running 60%" in result
    assert "mood       a little joyful (valence 0.7" in result
    assert "  1. Song" in result
    assert " 10. Song" in result


def test_an_empty_catalogue_is_said(photo: Path, models: FakeModels) -> None:
    assert "There are no tracks yet." in suggest(str(photo))
    assert json.loads(suggest(str(photo), "--json"))["suggestions"] == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["/nowhere/photo.jpg"], "No such file"),
        (["{tmp}"], "Is a directory"),
        (["{tmp}/text.jpg"], "neither a photo nor a video that we can read"),
        (["{tmp}/photo.heic", "-n", "0"], "from 1 to 100"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    args: list[str], words: str, photo: Path, models: FakeModels
) -> None:
    (photo.parent / "text.jpg").write_text("hello")
    with pytest.raises(CommandError, match=words):
        suggest(*(arg.format(tmp=photo.parent) for arg in args))
