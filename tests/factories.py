"""Factories for test data, by app."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.models import SpotifyAccount, User
from accounts.spotify.scopes import Purpose, needed_for
from ml.intensity import intensity_of
from ml.labels import ACTIONS, EMOTIONS
from ml.manifest import digest, manifest
from ml.mood import Gaussian, MoodTarget
from ml.mood.fusion import fuse
from ml.serving.files import ABOUT, CLASSES, FORMATS
from recommender.models import Track
from recommender.services.search_words import learn_words_of
from stories.models import (
    Analysis,
    ModelVersion,
    Photo,
    Reason,
    Review,
    ReviewItem,
    Story,
    Video,
)
from stories.registry.services import register_candidate
from stories.review.services.items import digest_of
from stories.review.services.reviews import save_review

_numbers = count(1)

# --- accounts -------------------------------------------------------------------------------------


def make_user(**extra: Any) -> User:
    """A user with a unique address who has agreed to faces being read."""
    email = extra.pop("email", f"person{next(_numbers)}@storify.test")
    return User.objects.create_user(email, **{"faces_consent": True, **extra})


def make_staff(*permissions: str, **extra: Any) -> User:
    """Staff with these permissions only, each as `app.name`."""
    user = make_user(is_staff=True, **extra)
    for permission in permissions:
        app, name = permission.split(".")
        granted = Permission.objects.get(content_type__app_label=app, codename=name)
        user.user_permissions.add(granted)
    return user


def make_spotify_account(user: User | None = None, **fields: Any) -> SpotifyAccount:
    """A connected account with every permission, whose access token is good for an hour."""
    number = next(_numbers)
    values = {
        "account_id": f"account{number}",
        "spotify_id": f"listener{number}",
        "display_name": f"Listener {number}",
        "access_token": "access-1",
        "refresh_token": "refresh-1",
        "expires_at": timezone.now() + timedelta(hours=1),
        "scopes": " ".join(needed_for(Purpose)),
        "purposes": [*Purpose],
    }
    return SpotifyAccount.objects.create(user=user or make_user(), **{**values, **fields})


# --- stories --------------------------------------------------------------------------------------


def make_photo_bytes(
    size: tuple[int, int] = (64, 48), kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    """A picture with a bright corner, encoded in memory."""
    picture = Image.new("RGB", size, (40, 60, 80))
    picture.paste((250, 240, 200), (0, 0, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    picture.convert(mode).save(out, kind, **options)
    return out.getvalue()


VIDEO_CODECS = {"mp4": "libx264", "mov": "libx264", "webm": "libvpx"}


def make_video_bytes(
    form: str = "mp4",
    *,
    seconds: float = 2.0,
    rate: int = 10,
    size: tuple[int, int] = (64, 48),
    codec: str = "",
    keys_apart: int = 5,
    sound: bool = False,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """A video that turns from black to white, its lower half from blue to green."""
    file = io.BytesIO()
    with _usual_priority(), av.open(file, "w", format=form) as target:
        target.metadata.update(metadata or {})
        moving: Any = target.add_stream(codec or VIDEO_CODECS[form], rate=rate)
        moving.width, moving.height = size
        moving.pix_fmt = "yuv420p"
        moving.codec_context.gop_size = keys_apart
        heard: Any = target.add_stream("pcm_s16le" if form == "mov" else "aac") if sound else None
        for number in range(max(round(seconds * rate), 1)):
            bright = round(255 * number / max(seconds * rate - 1, 1))
            picture = Image.new("RGB", size, (bright, bright, bright))
            picture.paste((0, bright, 255 - bright), (0, size[1] // 2, size[0], size[1]))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, rate)
            target.mux(moving.encode(frame))
        target.mux(moving.encode(None))
        if heard:
            _mux_silence(target, heard, seconds)
    return file.getvalue()


@contextmanager
def _usual_priority() -> Iterator[None]:
    """Put the thread's priority back after encoding.

    SVT-AV1, run as root, makes its caller a real-time process, and with it every process started
    later: they wait for each other without end.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def make_sound_bytes() -> bytes:
    """An MP4 that holds a second of silence and no picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as target:
        _mux_silence(target, target.add_stream("aac"), 1.0)
    return file.getvalue()


def _mux_silence(target: Any, stream: Any, seconds: float) -> None:
    rate = stream.codec_context.sample_rate or 48_000
    for start in range(0, round(rate * seconds), 1024):
        frame: Any = av.AudioFrame.from_ndarray(
            np.zeros((1, 2048), np.int16), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def make_video_story(user: User | None = None, data: bytes | None = None, **fields: Any) -> Story:
    """A queued video story with upload and poster stored."""
    story = make_story(user, **fields)
    video = Video(story=story, seconds=2.0)
    video.source.save("", ContentFile(data or make_video_bytes()), save=False)
    video.save()
    return story


def make_story(user: User | None = None, **fields: Any) -> Story:
    """A queued story with its photo stored."""
    story = Story.objects.create(user=user or make_user(), **{"caption": "A day out", **fields})
    photo = Photo(story=story, width=64, height=48)
    photo.file.save("x.jpg", ContentFile(make_photo_bytes()), save=False)
    photo.thumbnail.save("x.jpg", ContentFile(make_photo_bytes((32, 24))), save=False)
    photo.save()
    return story


LIVELY = Gaussian(np.array([0.68, 0.72]), np.eye(2) * 0.17**2)
"""The mood of the whole photo in `make_ready_story`."""


def make_ready_story(user: User | None = None, **fields: Any) -> Story:
    """A story that has been analysed: somebody happy who runs, in a lively place."""
    story = make_story(user, **{"status": Story.Status.READY, **fields})
    emotion, action = certain(EMOTIONS, "happy", 0.7), certain(ACTIONS, "running", 0.6)
    mood = fuse(emotion=emotion, action=action, intensity=intensity_of(action), scene=LIVELY)
    Analysis.objects.create(
        story=story,
        emotion=emotion,
        emotion_label="happy",
        emotion_set=["happy", "surprise"],
        action=action,
        action_label="running",
        intensity=intensity_of(action),
        scene={"light": 0.5, "colour": 0.5, "mood": LIVELY.to_json()},
        faces=[
            {
                "box": [0.1, 0.2, 0.3, 0.4],
                "probabilities": emotion,
                "weight": 1.0,
                "label": "happy",
            }
        ],
        versions={"emotion": "test"},
        **mood_fields(mood),
    )
    return story


def make_ready_video_story(user: User | None = None, **fields: Any) -> Story:
    """An analysed video story that begins calm and ends joyful."""
    story = make_ready_story(user, **fields)
    story.analysis.moments = [
        {"at": 1.0, "valence": 0.85, "energy": 0.3},
        {"at": 3.0, "valence": 0.7, "energy": 0.5},
        {"at": 65.0, "valence": 0.8, "energy": 0.8},
    ]
    story.analysis.save()
    moving = Video(story=story, seconds=2.0)
    moving.file.save("x.mp4", ContentFile(make_video_bytes()), save=False)
    moving.save()
    return story


def make_reviewer(**extra: Any) -> User:
    """Staff who may review tags."""
    return make_staff("stories.review_tags", **extra)


def make_review_item(story: Story | None = None, **fields: Any) -> ReviewItem:
    """An open item of the audit, of a story whose owner agreed to reviews."""
    story = story or make_ready_story(make_user(improve_consent=True))
    versions = fields.pop("versions", story.analysis.versions)
    values = {"reason": Reason.AUDIT, "priority": 0.5, "versions_digest": digest_of(versions)}
    return ReviewItem.objects.create(story=story, versions=versions, **{**values, **fields})


def make_review(
    item: ReviewItem | None = None,
    reviewer: User | None = None,
    answers: dict[str, Any] | None = None,
    **fields: Any,
) -> Review:
    """A review that agrees with the model, unless `answers` say otherwise."""
    agrees = {"faces": {"0": "happy"}, "action": "running"}
    return save_review(
        item=item or make_review_item(),
        reviewer=reviewer or make_reviewer(),
        answers=agrees if answers is None else answers,
        **{"seconds": 1.5, **fields},
    )


def scene_mood() -> Gaussian:
    """The mood of a whole photo that looks pleasant and calm."""
    return Gaussian(np.array([0.7, 0.45]), np.diag([0.03, 0.04]))


def make_pair(low: float = -0.001, **fields: Any) -> dict[str, Any]:
    """A comparison of two models on the same photos, as ml.evaluation.paired has it."""
    values = {"n": 500, "serving": 0.7, "candidate": 0.72, "difference": 0.02, "high": 0.04}
    return {**values, "only_serving": 5, "only_candidate": 15, "p": 0.04, "low": low, **fields}


def make_model_folder(folder: Path, name: str = "emotion", **fields: Any) -> Path:
    """What `ml.training.candidate` writes, with a file that says the right thing but is no network.

    `about` overrides what the file says of itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stated = {"name": name, "format_version": FORMATS[name], "classes": list(CLASSES[name])}
    about = stated | fields.pop("about", {})
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"number": next(_numbers)}) * 50)
        archive.writestr(ABOUT, json.dumps(about))
    shipped = manifest()["models"][name]
    described = {
        **stated,
        "version": f"{shipped['version']}+{next(_numbers)}",
        "file": "model.keras",
        "sha256": digest(folder / "model.keras"),
        "entry": shipped,
        "card": "# A card",
        "export": "20261128T120000-abcdef12",
        "compared_with": shipped["version"],
        "comparison": {"public": make_pair(), "audit": make_pair()},
    } | fields
    described["entry"] = described["entry"] | {"version": described["version"]}
    (folder / "candidate.json").write_text(json.dumps(described))
    return folder


def make_model_version(folder: Path, **fields: Any) -> ModelVersion:
    """A registered candidate that may be promoted."""
    return register_candidate(folder=make_model_folder(folder, **fields))


def certain(classes: tuple[str, ...], label: str, share: float) -> dict[str, float]:
    """Probabilities with `share` on one class and the rest spread evenly."""
    rest = (1 - share) / (len(classes) - 1)
    return {name: share if name == label else rest for name in classes}


def mood_fields(mood: MoodTarget) -> dict[str, Any]:
    """A mood as the columns of stories.models.Analysis."""
    spread = [list(row) for row in mood.spread]
    return {"mood_valence": mood.valence, "mood_energy": mood.energy, "mood_spread": spread}


# --- recommender ----------------------------------------------------------------------------------


def make_track(**fields: Any) -> Track:
    """An imported track with average mood and sound and a unique artist."""
    number = next(_numbers)
    values = {
        "source": Track.Source.IMPORT,
        "source_id": f"track{number}",
        "title": f"Song {number}",
        "artists": [f"Artist {number}"],
        "valence": 0.5,
        "energy": 0.5,
        "danceability": 0.6,
        "acousticness": 0.3,
        "instrumentalness": 0.1,
        "speechiness": 0.06,
        "liveness": 0.15,
        "loudness": -8.0,
        "tempo": 120.0,
        "mode": 1,
        "key": 0,
    }
    track = Track.objects.create(**{**values, **fields})
    learn_words_of(track=track)
    return track


def make_mood(valence: float = 0.5, energy: float = 0.5, sd: float = 0.1) -> MoodTarget:
    """A mood with the same standard deviation in every direction."""
    return MoodTarget(valence, energy, ((sd**2, 0.0), (0.0, sd**2)))
