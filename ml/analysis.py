"""The one way in: a photo and its caption become tags with probabilities and a mood."""

from collections.abc import Callable, Sequence

from PIL import Image

import ml.action.predict as actions
import ml.caption.predict as captions
import ml.emotion.predict as emotions
from ml import mood
from ml.emotion.photo import emotion_of, read_faces
from ml.faces import Detection, detect
from ml.images import shrink
from ml.intensity import UNASKED, Levels, intensity_of
from ml.labels import EMOTIONS
from ml.manifest import ModelsMissing, versions
from ml.types import STAGES, Analysis

__all__ = ["STAGES", "Analysis", "ModelsMissing", "analyse", "warm"]

LARGEST = 2048
"""Longer side in pixels at which a photo is analysed; a face is read at 44 pixels anyway."""


def _ignore(stage: str) -> None: ...


def analyse(
    photo: Image.Image,
    caption: str,
    *,
    on_stage: Callable[[str], None] = _ignore,
    look_at_faces: bool = True,
    levels: Levels = UNASKED,
) -> Analysis:
    """Return the tags and the mood of an upright photo of any size and its caption.

    `on_stage` is called with each name of STAGES when it begins. Without `look_at_faces` (the
    person has not agreed to it) no face is searched for. `levels` says how intense the actions
    are. No face, no nameable action and an empty caption are ordinary answers. Raises
    ModelsMissing where a model file is not there.
    """
    photo = shrink(photo, LARGEST)
    on_stage("faces")
    found = detect(photo) if look_at_faces else ()
    on_stage("emotion")
    faces = read_faces(photo, found)
    emotion = emotion_of(faces)
    on_stage("action")
    action, action_label = actions.recognise(photo)
    on_stage("caption")
    words = None if captions.is_empty(caption) else captions.predict([caption])[0]
    caption_emotion = None if words is None else _named(EMOTIONS, words)
    on_stage("mood")
    intensity = intensity_of(action, levels)
    return Analysis(
        faces=faces,
        emotion=emotion,
        emotion_label=emotions.answer(emotion) if emotion else None,
        emotion_set=emotions.likely(emotion) if emotion else (),
        action=action,
        action_label=action_label,
        intensity=intensity,
        caption=caption_emotion,
        mood=mood.fuse(emotion=emotion, intensity=intensity, caption=caption_emotion),
        versions=versions(),
    )


def _named(names: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, row, strict=True)}


def warm() -> None:
    """Load every model and run each once, so that the first story does not wait for it.

    Call it in the process that analyses, after a fork: threads do not survive one.
    """
    grey = Image.new("RGB", (320, 240), (127, 127, 127))
    everywhere = Detection((0.3, 0.2, 0.4, 0.5), ((0.4, 0.4), (0.6, 0.4)), 1.0)
    read_faces(grey, [everywhere])
    analyse(grey, "warm")
