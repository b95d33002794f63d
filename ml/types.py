"""What the analysis of one photo story returns, as plain values."""

from dataclasses import asdict, dataclass
from typing import Any

from ml.mood import Gaussian, MoodTarget

STAGES = ("faces", "emotion", "action", "caption", "mood")


@dataclass(frozen=True)
class Face:
    """One face: where it is, what it shows, how much it counts.

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
    """Light and colour in standard deviations from the usual photo, and the mood they suggest."""

    light: float
    colour: float
    mood: Gaussian

    def to_json(self) -> dict[str, Any]:
        return {"light": self.light, "colour": self.colour, "mood": self.mood.to_json()}


@dataclass(frozen=True)
class Moment:
    """The mood of a video `at` these seconds from its beginning."""

    at: float
    mood: MoodTarget

    def to_json(self) -> dict[str, float]:
        return {"at": self.at, "valence": self.mood.valence, "energy": self.mood.energy}


@dataclass(frozen=True)
class Analysis:
    """Everything the models say of one photo or video and its caption.

    `emotion` is None where no face was found; `emotion_label` names it, or is UNCERTAIN where that
    would be wrong too often, and `emotion_set` holds those among which the true one is in nine of
    ten cases, likeliest first. `action` is None where the photo was not looked at,
    `action_label` where no action is sure enough to be named, `caption` and `caption_mood`
    without a caption. Probabilities are calibrated and sum to one; of a photo that is like none
    with a known action they are even. Of a video they are the means over its frames, and `moments`
    say how its mood went; a photo has none. The faces of a video are those of its poster.
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
        """Return the same as plain JSON values."""
        plain = asdict(self) | {"mood": self.mood.to_json(), "emotion_set": list(self.emotion_set)}
        plain["caption_mood"] = self.caption_mood.to_json() if self.caption_mood else None
        plain["scene"] = self.scene.to_json() if self.scene else None
        plain["moments"] = [moment.to_json() for moment in self.moments]
        plain["faces"] = [asdict(face) | {"box": list(face.box)} for face in self.faces]
        return plain
