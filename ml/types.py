"""Results of an analysis as plain values, and the types of the arrays in ml."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.mood import Gaussian, MoodTarget

Float16Array = NDArray[np.float16]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

STAGES = ("faces", "emotion", "action", "caption", "mood")


@dataclass(frozen=True)
class Face:
    """One detected face: its place, its emotions, its weight.

    `box` is (x, y, width, height) in fractions of the photo's width and height, origin top left.
    `weight` is its share in the story's emotion; the weights of a photo's faces sum to one.
    `label` is one of EMOTIONS, or UNCERTAIN where naming one would be wrong too often.
    """

    box: tuple[float, float, float, float]
    probabilities: dict[str, float]
    weight: float
    label: str


@dataclass(frozen=True)
class Scene:
    """Light and colour in standard deviations from the usual photo, and the whole photo's mood."""

    light: float
    colour: float
    mood: Gaussian

    def to_json(self) -> dict[str, Any]:
        """The scene as JSON types, by the names of its fields."""
        return {"light": self.light, "colour": self.colour, "mood": self.mood.to_json()}


@dataclass(frozen=True)
class Moment:
    """The mood of a video `at` a number of seconds from its start."""

    at: float
    mood: MoodTarget

    def to_json(self) -> dict[str, float]:
        """The moment as JSON types, with the point of its mood alone."""
        return {"at": self.at, "valence": self.mood.valence, "energy": self.mood.energy}


@dataclass(frozen=True)
class Analysis:
    """Everything that the models predict for one photo or video and its caption.

    `emotion` is None without a face; `emotion_label` is its top class, or UNCERTAIN if that would
    be wrong too often, and `emotion_set` the conformal set that holds the true class in nine of ten
    cases, likeliest first. `action` is None if the photo wasn't analysed, `action_label` if no
    action is certain enough, `caption` and `caption_mood` without a caption. Probabilities are
    calibrated and sum to one; they are uniform for a photo unlike any with a known action. For a
    video they are means over its frames, `moments` is the course of its mood (empty for a photo),
    and the faces are those of its poster.
    """

    faces: tuple[Face, ...]
    emotion: dict[str, float] | None
    emotion_label: str | None
    emotion_set: tuple[str, ...]
    action: dict[str, float] | None
    action_label: str | None
    intensity: dict[str, float]
    caption: dict[str, float] | None
    caption_mood: Gaussian | None
    scene: Scene | None
    mood: MoodTarget
    versions: dict[str, str]
    moments: tuple[Moment, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the analysis as plain JSON values."""
        plain = asdict(self) | {"mood": self.mood.to_json(), "emotion_set": list(self.emotion_set)}
        plain["caption_mood"] = self.caption_mood.to_json() if self.caption_mood else None
        plain["scene"] = self.scene.to_json() if self.scene else None
        plain["moments"] = [moment.to_json() for moment in self.moments]
        plain["faces"] = [asdict(face) | {"box": list(face.box)} for face in self.faces]
        return plain
