"""Analyse a photo or video and its caption: tags with probabilities, and a mood."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

import ml.action.predict as actions
import ml.caption.predict as captions
import ml.emotion.predict as emotions
from ml import mood
from ml.caption.predict import CaptionReading
from ml.emotion.photo import emotion_of, read_faces
from ml.faces.detection import Detection, detect
from ml.images import shrink
from ml.intensity import PRIOR_LEVELS, Levels, intensity_of
from ml.manifest import ModelsMissing, versions
from ml.scene.colour import mean_scene, scene_of
from ml.types import STAGES, Analysis, Face, Moment, Scene
from ml.video import Frame

__all__ = ["STAGES", "Analysis", "ModelsMissing", "analyse", "analyse_video"]

MAX_SIDE = 2048
"""Longer side in pixels of an analysed photo; the emotion network sees only 44 pixels of a face."""

SAME_SIDE, SAME = 64, 4
"""Pixels of a side, and the levels of 255 by which none of them differs, of two equal frames.

What no pixel of the small picture shows, such as noise, changes no analysis. A mouth that moves in
a face of a tenth of the height changes several.
"""

OnStage = Callable[[str], None]
Probabilities = dict[str, float]


def _ignore(stage: str) -> None: ...


@dataclass(frozen=True)
class _Reading:
    """What one picture shows, or the mean of a video's frames."""

    faces: tuple[Face, ...]
    emotion: Probabilities | None
    action: Probabilities
    action_label: str | None
    scene: Scene


def analyse(
    photo: Image.Image,
    caption: str,
    *,
    on_stage: OnStage = _ignore,
    look_at_faces: bool = True,
    levels: Levels = PRIOR_LEVELS,
) -> Analysis:
    """Return the tags and the mood of an upright photo of any size and its caption.

    `on_stage` is called with each of STAGES as it begins. Without `look_at_faces` (the person
    hasn't consented) no faces are detected. `levels` are the intensities of the actions. A photo
    may have no face and no action to name, and the caption may be empty. Raises ModelsMissing if
    a model file is missing.
    """
    (reading,) = _read_pictures([shrink(photo, MAX_SIDE)], on_stage, look_at_faces=look_at_faces)
    words = _read_caption(caption, on_stage)
    on_stage("mood")
    return _analysis(reading, words, levels)


def analyse_video(
    frames: Sequence[Frame],
    poster: Image.Image,
    caption: str,
    *,
    on_stage: OnStage = _ignore,
    look_at_faces: bool = True,
    levels: Levels = PRIOR_LEVELS,
) -> Analysis:
    """Return the tags and the mood of a video from one or more frames in order.

    Every frame has the same weight. Frames without a face don't count for the emotion; an action
    is named if at least half of the frames name it. `faces` are those of the poster, the picture
    that the page marks them on. Otherwise like `analyse`, with `on_stage` called for every frame.
    """
    pictures = [frame.picture for frame in frames]
    readings = _read_pictures(pictures, on_stage, look_at_faces=look_at_faces)
    faces = _faces([shrink(poster, MAX_SIDE)], on_stage)[0] if look_at_faces else ()
    words = _read_caption(caption, on_stage)
    on_stage("mood")
    whole = _analysis(replace(_mean_reading(readings), faces=faces), words, levels)
    moments = (
        Moment(round(frame.at, 2), _mood(reading, words, intensity_of(reading.action, levels)))
        for frame, reading in zip(frames, readings, strict=True)
    )
    return replace(whole, moments=tuple(moments))


def _read_pictures(
    pictures: Sequence[Image.Image], on_stage: OnStage, *, look_at_faces: bool
) -> list[_Reading]:
    first_alike = _first_alike(pictures)
    different = sorted(set(first_alike))
    by_number = dict(
        zip(
            different,
            _read_each([pictures[n] for n in different], on_stage, look_at_faces=look_at_faces),
            strict=True,
        )
    )
    return [by_number[number] for number in first_alike]


def _first_alike(pictures: Sequence[Image.Image]) -> list[int]:
    """Return for each picture the number of itself, or of the one before that it's a copy of.

    It's compared with the one that is analysed, so small changes add up to a large one.
    """
    small = [
        np.asarray(picture.convert("L").resize((SAME_SIDE, SAME_SIDE), reducing_gap=2), np.int16)
        for picture in pictures
    ]
    firsts: list[int] = []
    for number, picture in enumerate(small):
        last = firsts[-1] if firsts else number
        same = np.abs(picture - small[last]).max() <= SAME
        firsts.append(last if same else number)
    return firsts


def _read_each(
    pictures: Sequence[Image.Image], on_stage: OnStage, *, look_at_faces: bool
) -> list[_Reading]:
    faces = _faces(pictures, on_stage, look_at_faces=look_at_faces)
    recognised = []
    for picture in pictures:
        on_stage("action")
        recognised.append(actions.recognise(picture))
    return [
        _Reading(shown, emotion_of(shown), action, label, scene_of(picture))
        for picture, shown, (action, label) in zip(pictures, faces, recognised, strict=True)
    ]


def _faces(
    pictures: Sequence[Image.Image], on_stage: OnStage, *, look_at_faces: bool = True
) -> list[tuple[Face, ...]]:
    detections: list[Sequence[Detection]] = []
    for picture in pictures:
        on_stage("faces")
        detections.append(detect(picture) if look_at_faces else ())
    on_stage("emotion")
    return [read_faces(picture, faces) for picture, faces in zip(pictures, detections, strict=True)]


def _read_caption(caption: str, on_stage: OnStage) -> CaptionReading | None:
    on_stage("caption")
    return None if captions.is_empty(caption) else captions.read([caption])[0]


def _mean_reading(readings: Sequence[_Reading]) -> _Reading:
    """Return the means over frames; an action is named if half of the frames name it."""
    with_faces = [reading.emotion for reading in readings if reading.emotion]
    action = _mean([reading.action for reading in readings])
    top = max(action, key=lambda name: action[name])
    named = sum(reading.action_label == top for reading in readings) >= len(readings) / 2
    emotion = _mean(with_faces) if with_faces else None
    scene = mean_scene([reading.scene for reading in readings])
    return _Reading((), emotion, action, top if named else None, scene)


def _mean(rows: Sequence[Probabilities]) -> Probabilities:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _mood(
    reading: _Reading, words: CaptionReading | None, intensity: Probabilities
) -> mood.MoodTarget:
    return mood.fuse(
        emotion=reading.emotion,
        action=reading.action,
        intensity=intensity,
        caption=words.mood if words else None,
        scene=reading.scene.mood,
    )


def _analysis(reading: _Reading, words: CaptionReading | None, levels: Levels) -> Analysis:
    intensity = intensity_of(reading.action, levels)
    return Analysis(
        faces=reading.faces,
        emotion=reading.emotion,
        emotion_label=emotions.answer(reading.emotion) if reading.emotion else None,
        emotion_set=emotions.conformal_set(reading.emotion) if reading.emotion else (),
        action=reading.action,
        action_label=reading.action_label,
        intensity=intensity,
        caption=words.probabilities if words else None,
        caption_mood=words.mood if words else None,
        scene=reading.scene,
        mood=_mood(reading, words, intensity),
        versions=versions(),
    )
