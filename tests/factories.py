"""Plain functions that make what tests need, a section per app."""

from __future__ import annotations

import io
from datetime import timedelta
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.models import SpotifyAccount, User
from ml.intensity import intensity_of
from ml.labels import ACTIONS, EMOTIONS
from ml.mood import MoodTarget, fuse
from recommender.models import Track
from stories.models import Analysis, Photo, Story

_numbers = count(1)

# --- accounts -------------------------------------------------------------------------------------


def make_user(**extra: Any) -> User:
    """A person with an address of their own who agreed to faces being read."""
    email = extra.pop("email", f"person{next(_numbers)}@storify.test")
    return User.objects.create_user(email, **{"faces_consent": True, **extra})


def make_spotify_account(user: User | None = None, **fields: Any) -> SpotifyAccount:
    """A connected account whose access token is good for another hour."""
    number = next(_numbers)
    values = {
        "account_id": f"account{number}",
        "display_name": f"Listener {number}",
        "access_token": "access-1",
        "refresh_token": "refresh-1",
        "expires_at": timezone.now() + timedelta(hours=1),
        "scopes": "user-library-modify playlist-modify-private",
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


def make_story(user: User | None = None, **fields: Any) -> Story:
    """A story that waits for a worker, with its photo stored."""
    story = Story.objects.create(user=user or make_user(), **{"caption": "A day out", **fields})
    photo = Photo(story=story, width=64, height=48)
    photo.file.save("x.jpg", ContentFile(make_photo_bytes()), save=False)
    photo.thumbnail.save("x.jpg", ContentFile(make_photo_bytes((32, 24))), save=False)
    photo.save()
    return story


def make_ready_story(user: User | None = None, **fields: Any) -> Story:
    """A story that has been analysed: somebody happy who runs."""
    story = make_story(user, **{"status": Story.Status.READY, **fields})
    emotion, action = certain(EMOTIONS, "happy", 0.7), certain(ACTIONS, "running", 0.6)
    mood = fuse(emotion=emotion, intensity=intensity_of(action))
    Analysis.objects.create(
        story=story,
        emotion=emotion,
        emotion_label="happy",
        emotion_set=["happy", "surprise"],
        action=action,
        action_label="running",
        intensity=intensity_of(action),
        faces=[{"box": [0.1, 0.2, 0.3, 0.4], "probabilities": emotion, "weight": 1.0}],
        versions={"emotion": "test"},
        **mood_fields(mood),
    )
    return story


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
    """An imported track of middling mood and sound, by an artist of its own."""
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
    return Track.objects.create(**{**values, **fields})


def make_mood(valence: float = 0.5, energy: float = 0.5, sd: float = 0.1) -> MoodTarget:
    """A round mood of this width."""
    return MoodTarget(valence, energy, ((sd**2, 0.0), (0.0, sd**2)))
