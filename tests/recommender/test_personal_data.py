import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import personal_data as registry
from accounts.models import User
from recommender import personal_data, services
from recommender.models import (
    Choice,
    MusicPreferences,
    StoryTuning,
    Suggestion,
    TasteProfile,
    TasteReset,
    Track,
)
from tests.factories import make_mood, make_track, make_user

EVERYTHING: tuple[type[Any], ...] = (
    *(Choice, Suggestion, TasteProfile),
    *(MusicPreferences, StoryTuning, TasteReset),
)
pytestmark = pytest.mark.django_db


def make_spotify_track(**fields: object) -> Track:
    return make_track(source=Track.Source.SPOTIFY, **fields)


def save(user: User, track: Track) -> None:
    services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)


def test_the_app_takes_part_in_export_and_deletion() -> None:
    part = next(p for p in registry.parts() if p.name == "music")
    assert part.export is personal_data.export
    assert part.erase is personal_data.erase
    assert part.erase_spotify is personal_data.erase_spotify


def test_export_holds_what_was_saved_shown_and_learned() -> None:
    user, track = make_user(), make_track(title="Mine")
    services.suggest_tracks(user=user, story_id=uuid4(), mood=make_mood())
    save(user, track)
    save(make_user(), make_track(title="Not mine"))
    files = {path: json.loads(content) for path, content in personal_data.export(user)}
    assert [row["title"] for row in files["music/saved.json"]] == ["Mine"]
    assert files["music/suggested.json"][0]["reasons"]
    assert files["music/taste.json"][0]["saved_tracks"] == 1


def test_export_holds_what_was_said_of_music() -> None:
    user, story_id = make_user(), uuid4()
    services.answer_likes(user=user, genres=["pop"], languages=["de"])
    services.set_preferences(user=user, year_from=1990)
    services.steer_story(user=user, story_id=story_id, steering=0.5)
    services.set_learning(user=user, story_id=story_id, learns=False)
    save(user, make_track())
    services.reset_taste(user=user)
    files = {path: json.loads(content) for path, content in personal_data.export(user)}
    (result,) = files["music/preferences.json"]
    assert (result["liked_genres"], result["liked_languages"], result["year_from"]) == (
        ["pop"],
        ["de"],
        1990,
    )
    assert result["asked_at"]
    assert files["music/stories.json"] == [
        {"story": str(story_id), "steering": 0.5, "learned_from": False, "music": "mix"}
    ]
    assert len(files["music/taste_resets.json"]) == 1
    assert files["music/saved.json"][0]["learned_from"] is False


def test_erasing_leaves_nothing_of_the_person_and_all_of_others() -> None:
    user, other, track = make_user(), make_user(), make_track()
    for person in (user, other):
        services.suggest_tracks(user=person, story_id=uuid4(), mood=make_mood())
        save(person, track)
        services.reset_taste(user=person)
        services.set_preferences(user=person, genres=["pop"])
        services.steer_story(user=person, story_id=uuid4(), steering=1.0)
    personal_data.erase(user)
    for model in EVERYTHING:
        assert set(model.objects.values_list("user", flat=True)) == {other.pk}
    assert Track.objects.get() == track


def test_disconnecting_removes_what_came_from_spotify() -> None:
    user, other = make_user(), make_user()
    alone, shared, plain = make_spotify_track(), make_spotify_track(), make_track()
    for track in (alone, shared, plain):
        save(user, track)
    save(other, shared)
    personal_data.erase_spotify(user)
    assert set(Track.objects.all()) == {shared, plain}
    assert [c.track for c in Choice.objects.filter(user=user)] == [plain]
    assert TasteProfile.objects.get(user=user).n_choices == 1


def test_expired_descriptions_go_but_saved_tracks_stay_playable() -> None:
    past = timezone.now() - timedelta(hours=1)
    make_spotify_track(expires_at=past)
    saved = make_spotify_track(expires_at=past)
    kept = make_spotify_track(expires_at=timezone.now() + timedelta(hours=1))
    save(make_user(), saved)
    assert services.expire_tracks() == 2
    saved.refresh_from_db()
    assert (saved.title, saved.artists) == ("", [])
    assert set(Track.objects.all()) == {saved, kept}
    assert services.expire_tracks() == 0
