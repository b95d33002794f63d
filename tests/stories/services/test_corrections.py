from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage

from accounts.models import User
from ml.intensity import intensity_of
from ml.labels import ACTIONS, EMOTIONS
from ml.mood import POINT_SD, Gaussian
from ml.mood.fusion import fuse
from recommender.models import Choice, Suggestion, Track
from recommender.selectors import choices_by_story, current_suggestions
from stories import selectors, services
from stories.errors import StoryNotReadyError, UnknownLabelError, UnknownTrackError
from stories.models import Photo, Story, TagEvent
from tests.factories import LIVELY, make_ready_story, make_story, make_user, scene_mood
from tests.stories.conftest import FakeQueue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_models")]


def again(story: Story) -> Story:
    return selectors.get_story(story.user, story.pk)


def tags_of(story: Story) -> dict[str, Any]:
    tags = selectors.effective_tags(again(story))
    assert tags is not None
    return tags


def test_a_corrected_emotion_counts_as_certain_and_moves_the_mood(
    user: User, tracks: list[Track]
) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, emotion="sad")
    tags, analysis = tags_of(story), again(story).analysis
    assert tags["emotion"]["label"] == "sad"
    assert tags["emotion"]["probabilities"] == {name: float(name == "sad") for name in EMOTIONS}
    assert analysis.emotion["happy"] == pytest.approx(0.7)  # what the model said is kept
    seen = {"action": analysis.action, "intensity": analysis.intensity}
    expected = fuse(emotion={"sad": 1.0}, scene=LIVELY, **seen)
    assert selectors.mood_of(again(story)) == expected
    assert (analysis.mood_valence, analysis.mood_energy) == (expected.valence, expected.energy)
    assert not analysis.mood_set_by_hand


def test_a_corrected_action_brings_its_intensity(user: User) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, action="sleeping")
    tags = tags_of(story)
    assert tags["action"]["label"] == "sleeping"
    sleeping = intensity_of({"sleeping": 1.0})
    assert tags["intensity"] == {"label": "low", "probabilities": sleeping}
    assert selectors.mood_of(again(story)) == fuse(
        emotion=story.analysis.emotion,
        action={"sleeping": 1.0},
        intensity=sleeping,
        scene=LIVELY,
    )


def test_a_correction_leaves_what_words_and_light_say(user: User) -> None:
    story = make_ready_story(user)
    words, scene = Gaussian(np.array([0.2, 0.4]), np.eye(2) * 0.04), scene_mood()
    story.analysis.caption_mood = words.to_json()
    story.analysis.scene = {"light": 2, "colour": 1, "mood": scene.to_json()}
    story.analysis.save()
    services.correct_story(story=story, user=user, emotion="none", action="none")
    assert selectors.mood_of(again(story)) == fuse(caption=words, scene=scene)


def test_none_says_that_there_is_nothing_of_the_kind(user: User) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, emotion="none", action="none")
    empty: dict[str, Any] = {"label": None, "probabilities": {}}
    tags = tags_of(story)
    assert (tags["emotion"], tags["action"], tags["intensity"]) == (empty, empty, empty)
    assert selectors.mood_of(again(story)) == fuse(scene=LIVELY)


def test_a_correction_ranks_again_at_once(user: User, tracks: list[Track]) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, mood=(0.05, 0.05))
    calm = current_suggestions(story.pk)
    services.correct_story(story=story, user=user, mood=(0.95, 0.95))
    loud = current_suggestions(story.pk)
    assert Suggestion.objects.values("batch").distinct().count() == 2

    def energy(shown: list[Suggestion]) -> float:
        return sum(one.track.energy or 0 for one in shown) / len(shown)

    assert energy(calm) + 0.2 < energy(loud)


def test_a_mood_by_hand_is_kept_as_it_is_until_a_tag_is_corrected(user: User) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, mood=(0.25, 0.75))
    analysis = again(story).analysis
    assert (analysis.mood_valence, analysis.mood_energy) == (0.25, 0.75)
    assert analysis.mood_spread[0][0] == pytest.approx(POINT_SD**2)
    assert analysis.mood_set_by_hand
    services.correct_story(story=story, user=user, emotion="sad")
    assert not again(story).analysis.mood_set_by_hand
    services.correct_story(story=story, user=user, emotion="happy", mood=(0.5, 0.5))
    assert again(story).analysis.mood_set_by_hand


def test_every_correction_is_logged_with_what_was_before(user: User) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, emotion="sad")
    services.correct_story(story=story, user=user, emotion="none")
    services.correct_story(story=story, user=user, mood=(0.25, 0.75))
    log = TagEvent.objects.filter(story=story, actor=user).order_by("created_at")
    assert [(one.tag, one.before, one.after) for one in log[:2]] == [
        ("emotion", "happy", "sad"),
        ("emotion", "sad", "none"),
    ]
    assert log[2].after == {"valence": 0.25, "energy": 0.75}


@pytest.mark.parametrize("status", ["queued", "analysing", "failed"])
def test_only_a_ready_story_can_be_corrected(user: User, status: str) -> None:
    with pytest.raises(StoryNotReadyError):
        services.correct_story(story=make_story(user, status=status), user=user, emotion="sad")


@pytest.mark.parametrize("wrong", [{"emotion": "bored"}, {"action": "happy"}, {"action": ""}])
def test_a_strange_label_changes_nothing(user: User, wrong: dict[str, str]) -> None:
    story = make_ready_story(user)
    with pytest.raises(UnknownLabelError):
        services.correct_story(story=story, user=user, **wrong)  # type: ignore[arg-type]
    assert not TagEvent.objects.exists()


def test_a_mood_outside_the_plane_is_refused(user: User) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        services.correct_story(story=make_ready_story(user), user=user, mood=(1.2, 0.5))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_can_be_set(user: User, action: str) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, action=action)
    assert tags_of(story)["action"]["label"] == action


def test_save_choice_keeps_a_track_with_the_story(user: User, tracks: list[Track]) -> None:
    story = make_ready_story(user)
    services.save_choice(story=story, track_id=tracks[0].pk)
    services.save_choice(story=story, track_id=tracks[1].pk)
    assert choices_by_story([story.pk])[story.pk].track == tracks[1]
    services.remove_choice(story=story)
    assert choices_by_story([story.pk]) == {}


def test_save_choice_refuses_no_track_and_no_suggestions(user: User, tracks: list[Track]) -> None:
    with pytest.raises(UnknownTrackError):
        services.save_choice(story=make_ready_story(user), track_id=user_id())
    with pytest.raises(StoryNotReadyError):
        services.save_choice(story=make_story(user), track_id=tracks[0].pk)


def user_id() -> Any:
    from uuid import uuid4

    return uuid4()


def test_delete_story_removes_rows_files_and_what_was_derived(
    user: User, tracks: list[Track], media: Any, django_capture_on_commit_callbacks: Any
) -> None:
    story, other = make_ready_story(user), make_ready_story(user)
    services.correct_story(story=story, user=user, emotion="sad")
    services.save_choice(story=story, track_id=tracks[0].pk)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_story(story=story)
        assert len(list(media.rglob("*.jpg"))) == 4  # until the commit nothing is lost
    assert not Story.objects.filter(pk=story.pk).exists()
    assert not Suggestion.objects.filter(story_id=story.pk).exists()
    assert not Choice.objects.filter(story_id=story.pk).exists()
    assert not TagEvent.objects.exists()
    left = {other.photo.file.path, other.photo.thumbnail.path}
    assert {str(path) for path in media.rglob("*.jpg")} == left


def test_deleting_twice_is_no_error(user: User) -> None:
    story = make_ready_story(user)
    services.delete_story(story=Story.objects.get(pk=story.pk))
    services.delete_story(story=story)


def test_delete_stories_of_a_person_spares_everybody_else(
    user: User, media: Any, django_capture_on_commit_callbacks: Any
) -> None:
    make_story(user)
    make_ready_story(user)
    kept = make_story(make_user())
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_stories_of(user)
    assert list(Story.objects.all()) == [kept]
    assert list(Photo.objects.all()) == [kept.photo]
    assert len(list(media.rglob("*.jpg"))) == 2


def test_a_stuck_file_does_not_keep_the_others(
    user: User,
    broker: FakeQueue,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    story = make_story(user)
    gone: list[str] = []

    def delete(name: str) -> None:
        if name.startswith("photos"):
            raise OSError("stuck")
        gone.append(name)

    monkeypatch.setattr(FileSystemStorage, "delete", lambda self, name: delete(name))
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_story(story=story)
    assert gone == [story.photo.thumbnail.name]
