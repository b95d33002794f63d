"""Analyse a photo or video and its caption: tags with probabilities, and a mood."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

import ml.action.predict as actions
import ml.caption.predict as captions
import ml.emotion.predict as emotions
from ml.action.backbone import Encoding, encode, preprocess
from ml.caption.predict import CaptionReading
from ml.emotion.photo import emotion_of, read_faces
from ml.faces.detection import Detection, detect
from ml.faces.people import of_people
from ml.images import shrink_photo
from ml.intensity import PRIOR_LEVELS, Levels, intensity_of
from ml.manifest import ModelsMissing, versions
from ml.mood import Modalities
from ml.mood.fusion import fuse
from ml.scene.predict import mean_scene, scene_of
from ml.types import STAGES, Analysis, Face, Moment, Scene
from ml.video import Frame

__all__ = ["STAGES", "Analysis", "ModelsMissing", "analyse", "analyse_video"]

SAME_SIDE, SAME = 64, 4
"""Pixels of a side, and the levels of 255 by which none of them differs, of two equal frames.

What no pixel of the small picture shows, such as noise, changes no analysis. A mouth that moves in
a face of a tenth of the height changes several.
"""

OnStage = Callable[[str], None]
Probabilities = dict[str, float]


def _ignore(stage: str) -> None: ...


@dataclass(frozen=True)
class _Seen:
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
    (seen,) = _see([shrink_photo(photo)], on_stage, look_at_faces=look_at_faces)
    words = _read(caption, on_stage)
    on_stage("mood")
    return _analysis(seen, words, levels)


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
    each = _see(pictures, on_stage, look_at_faces=look_at_faces)
    faces = _faces([_Picture(shrink_photo(poster))], on_stage)[0] if look_at_faces else ()
    words = _read(caption, on_stage)
    on_stage("mood")
    whole = _analysis(replace(_mean_seen(each), faces=faces), words, levels)
    moments = (
        Moment(
            round(frame.at, 2), fuse(**_modalities(seen, words, intensity_of(seen.action, levels)))
        )
        for frame, seen in zip(frames, each, strict=True)
    )
    return replace(whole, moments=tuple(moments))


def _see(pictures: Sequence[Image.Image], on_stage: OnStage, *, look_at_faces: bool) -> list[_Seen]:
    first_alike = _first_alike(pictures)
    different = sorted(set(first_alike))
    seen = dict(
        zip(
            different,
            _see_each([pictures[n] for n in different], on_stage, look_at_faces=look_at_faces),
            strict=True,
        )
    )
    return [seen[number] for number in first_alike]


def _first_alike(pictures: Sequence[Image.Image]) -> list[int]:
    """Return for each picture the number of itself, or of the one before that it's a copy of.

    It's compared with the one that is analysed, so small changes add up to a large one.
    """
    small = [
        np.asarray(picture.convert("L").resize((SAME_SIDE, SAME_SIDE), reducing_gap=2), np.int16)
        for picture in pictures
    ]
    found: list[int] = []
    for number, picture in enumerate(small):
        last = found[-1] if found else number
        same = np.abs(picture - small[last]).max() <= SAME
        found.append(last if same else number)
    return found


class _Picture:
    """An image with what the backbone sees in it, which is asked for once and only if needed."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    @cached_property
    def view(self) -> Image.Image:
        return preprocess(self.image)

    @cached_property
    def encoding(self) -> Encoding:
        return encode([self.view])


def _see_each(
    images: Sequence[Image.Image], on_stage: OnStage, *, look_at_faces: bool
) -> list[_Seen]:
    pictures = [_Picture(image) for image in images]
    faces = _faces(pictures, on_stage, look_at_faces=look_at_faces)
    seen = []
    for picture, shown in zip(pictures, faces, strict=True):
        on_stage("action")
        action, label = actions.recognise(picture.encoding)
        scene = scene_of(picture.view, picture.encoding)
        seen.append(_Seen(shown, emotion_of(shown), action, label, scene))
    return seen


def _faces(
    pictures: Sequence[_Picture], on_stage: OnStage, *, look_at_faces: bool = True
) -> list[tuple[Face, ...]]:
    found: list[Sequence[Detection]] = []
    for picture in pictures:
        on_stage("faces")
        faces = detect(picture.image) if look_at_faces else ()
        found.append(of_people(faces, picture.encoding.tokens[0]) if faces else ())
    on_stage("emotion")
    return [read_faces(one.image, faces) for one, faces in zip(pictures, found, strict=True)]


def _read(caption: str, on_stage: OnStage) -> CaptionReading | None:
    on_stage("caption")
    return None if captions.is_empty(caption) else captions.read([caption])[0]


def _mean_seen(each: Sequence[_Seen]) -> _Seen:
    """Return the means over frames; an action is named if half of the frames name it."""
    with_faces = [seen.emotion for seen in each if seen.emotion]
    action = _mean([seen.action for seen in each])
    top = max(action, key=lambda name: action[name])
    named = sum(seen.action_label == top for seen in each) >= len(each) / 2
    emotion = _mean(with_faces) if with_faces else None
    scene = mean_scene([seen.scene for seen in each])
    return _Seen((), emotion, action, top if named else None, scene)


def _mean(rows: Sequence[Probabilities]) -> Probabilities:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _modalities(seen: _Seen, words: CaptionReading | None, intensity: Probabilities) -> Modalities:
    return Modalities(
        emotion=seen.emotion,
        action=seen.action,
        intensity=intensity,
        caption=words.mood if words else None,
        scene=seen.scene.mood,
    )


def _analysis(seen: _Seen, words: CaptionReading | None, levels: Levels) -> Analysis:
    intensity = intensity_of(seen.action, levels)
    return Analysis(
        faces=seen.faces,
        emotion=seen.emotion,
        emotion_label=emotions.answer(seen.emotion) if seen.emotion else None,
        emotion_set=emotions.conformal_set(seen.emotion) if seen.emotion else (),
        action=seen.action,
        action_label=seen.action_label,
        intensity=intensity,
        caption=words.probabilities if words else None,
        caption_mood=words.mood if words else None,
        scene=seen.scene,
        mood=fuse(**_modalities(seen, words, intensity)),
        versions=versions(),
    )
