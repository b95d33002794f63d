"""The mood of a video over time: lines and words."""

from __future__ import annotations

import pytest

from accounts.models import User
from recommender.models import Track
from stories.models import Story
from stories.pages.mood_timeline import mood_timeline
from tests.factories import make_ready_video_story

SPREAD = ((0.02, 0.0), (0.0, 0.02))
pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(user: User, tracks: list[Track]) -> Story:
    return make_ready_video_story(user, caption="A run")


def test_one_moment_is_no_timeline(ready: Story) -> None:
    assert mood_timeline([], SPREAD) is None
    assert mood_timeline(ready.analysis.moments[:1], SPREAD) is None


def test_timeline_runs_from_left_to_right_with_energy_upwards(ready: Story) -> None:
    timeline = mood_timeline(ready.analysis.moments, SPREAD)
    assert timeline
    assert timeline.energy == "0.0,32.3 3.1,24.3 100.0,12.3"
    assert timeline.path == "85.0,70.0 70.0,50.0 80.0,20.0"
    steady = mood_timeline([{**ready.analysis.moments[0], "at": at} for at in (1.0, 2.0)], SPREAD)
    assert steady
    assert steady.words == "It stays calm from beginning to end."


@pytest.mark.parametrize(
    ("energies", "words"),
    [
        ((0.61, 0.61), "The mood is hard to tell from beginning to end."),
        ((0.61, 0.3), "How it begins is hard to tell; it ends calm."),
        ((0.3, 0.61), "It begins calm; how it ends is hard to tell."),
    ],
)
def test_part_of_a_video_whose_mood_is_hard_to_tell_is_said_so(
    energies: tuple[float, float], words: str
) -> None:
    """Valence is 0.85 where the energy is low, and else that of all music."""
    moments = [
        {"at": at, "valence": 0.85 if energy < 0.5 else 0.51, "energy": energy}
        for at, energy in enumerate(energies)
    ]
    timeline = mood_timeline(moments, ((0.04, 0.0), (0.0, 0.04)))
    assert timeline
    assert timeline.words == words
