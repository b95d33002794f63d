"""Fixtures: a queue that records jobs, and fake models."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from accounts.models import User
from ml.intensity import Levels, intensity_of
from ml.labels import ACTIONS, EMOTIONS
from ml.mood.fusion import fuse
from ml.types import STAGES, Analysis, Face, Moment, Scene
from ml.video import Frame
from recommender.models import Track
from stories.services import job_publisher
from tests.factories import LIVELY, certain, make_user


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@dataclass
class FakeQueue:
    """Records published jobs; with `down` it fails like an unreachable broker.

    `held` messages are those that no worker has taken; None for as many as were published.
    """

    sent: list[UUID] = field(default_factory=list)
    refreshes: int = 0
    backfills: list[int] = field(default_factory=list)
    trainings: list[tuple[str, int, str]] = field(default_factory=list)
    down: bool = False
    held: int | None = None

    def waiting(self) -> int:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        return len(self.sent) if self.held is None else self.held

    def publish(self, story_id: UUID) -> None:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        self.sent.append(story_id)

    def publish_refresh(self) -> None:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        self.refreshes += 1

    def publish_backfill(self, user_id: int) -> None:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        self.backfills.append(user_id)

    def publish_training(self, name: str, user_id: int, since: datetime) -> None:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        self.trainings.append((name, user_id, since.isoformat()))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    fake = FakeQueue()
    monkeypatch.setattr(job_publisher, "publish_analysis", fake.publish)
    monkeypatch.setattr(job_publisher, "publish_refresh", fake.publish_refresh)
    monkeypatch.setattr(job_publisher, "publish_backfill", fake.publish_backfill)
    monkeypatch.setattr(job_publisher, "publish_transcoding", lambda: None)
    monkeypatch.setattr(job_publisher, "publish_training", fake.publish_training)
    monkeypatch.setattr(job_publisher, "waiting_messages", fake.waiting)
    return fake


@dataclass
class FakeModels:
    """Fake ml.analysis; `before_stage` can interfere between stages."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    before_stage: Callable[[str], object] = lambda stage: None

    def analyse(
        self,
        photo: Image.Image,
        caption: str,
        *,
        on_stage: Callable[[str], None],
        levels: Levels,
        look_at_faces: bool = True,
    ) -> Analysis:
        self.calls.append({"size": photo.size, "caption": caption, "faces": look_at_faces})
        return self._answer(on_stage, look_at_faces=look_at_faces)

    def analyse_video(
        self,
        frames: Sequence[Frame],
        poster: Image.Image,
        caption: str,
        *,
        on_stage: Callable[[str], None],
        levels: Levels,
        look_at_faces: bool = True,
    ) -> Analysis:
        said = {"frames": len(frames), "caption": caption, "faces": look_at_faces}
        self.calls.append({"size": poster.size, **said})
        seen = self._answer(on_stage, look_at_faces=look_at_faces)
        moments = (Moment(frame.at, fuse(intensity={"high": 1.0})) for frame in frames)
        return replace(seen, moments=tuple(moments))

    def _answer(self, on_stage: Callable[[str], None], *, look_at_faces: bool) -> Analysis:
        for stage in STAGES:
            self.before_stage(stage)
            on_stage(stage)
        emotion = certain(EMOTIONS, "happy", 0.7) if look_at_faces else None
        action = certain(ACTIONS, "running", 0.6)
        intensity = intensity_of(action)
        return Analysis(
            faces=(Face((0.1, 0.2, 0.3, 0.4), emotion, 1.0, "happy"),) if emotion else (),
            emotion=emotion,
            emotion_label="happy" if emotion else None,
            emotion_set=("happy",) if emotion else (),
            action=action,
            action_label="running",
            intensity=intensity,
            caption=None,
            caption_mood=None,
            scene=Scene(1.2, 0.1, LIVELY),
            mood=fuse(emotion=emotion, action=action, intensity=intensity, scene=LIVELY),
            versions={"emotion": "fake"},
        )


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> FakeModels:
    fake, module = FakeModels(), ModuleType("ml.analysis")
    module.analyse = fake.analyse  # type: ignore[attr-defined]
    module.analyse_video = fake.analyse_video  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ml.analysis", module)
    return fake


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the models is an error."""
    monkeypatch.setitem(sys.modules, "ml.analysis", None)


@pytest.fixture
def tracks(db: None) -> list[Track]:
    """A small catalogue spread over the mood plane."""
    return [make_track(number) for number in range(24)]


def make_track(number: int) -> Track:
    return Track.objects.create(
        source=Track.Source.IMPORT,
        source_id=f"track-{number}",
        title=f"Song {number}",
        artists=[f"Artist {number}"],
        popularity=40 + number,
        valence=(number % 6) / 6 + 0.08,
        energy=(number // 6) / 4 + 0.12,
        danceability=0.5,
        acousticness=0.5,
        instrumentalness=0.1,
        liveness=0.1,
        speechiness=0.05,
        loudness=-8.0,
        tempo=110.0,
        duration_ms=180_000,
    )
