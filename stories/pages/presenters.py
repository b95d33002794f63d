"""View models for the templates: tags as bars, faces as boxes, stages as steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml.labels import INTENSITIES, UNCERTAIN
from ml.mood import EMOTION_ANCHORS
from recommender.models import Choice, Track
from stories import selectors
from stories.models import Story
from stories.pages.mood_colours import mood_colour

NONE = selectors.NONE
SHOWN_BARS = 5
# A caption's likeliest emotion isn't named below this probability.
TELLING = 0.3
# Alternatives aren't listed if there are more than this.
LEFT_OPEN = 4
# An intensity isn't named below this probability.
SURE = 0.6
# Light and colours are mentioned from this many standard deviations from the average photo.
STRIKING = 1.0
_WORDS = {"listening_to_music": "listening to music", "using_laptop": "using a laptop"}
# Corners of the mood plane, by whether it's pleasant and whether it's energetic.
_CORNERS = {
    (False, True): "tense",
    (True, True): "happy",
    (False, False): "sad",
    (True, False): "calm",
}
# The corner whose colour an emotion has.
_FAMILY = {
    name: _CORNERS[valence > 0.5, energy > 0.5]
    for name, (valence, energy) in EMOTION_ANCHORS.items()
    if name != "neutral"
}
_DIRECTIONS = ("match", "lift", "contrast")
_STEPS = {
    "faces": "Looking for faces",
    "emotion": "Reading the emotion",
    "action": "Recognising the action",
    "caption": "Reading your caption",
    "mood": "Finding the mood and the music",
}


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    is_top: bool
    family: str

    @property
    def percent(self) -> str:
        return percent(self.value)

    @property
    def width(self) -> float:
        """Width of the bar in percent, at least 1."""
        return max(round(100 * self.value, 1), 1)


@dataclass(frozen=True)
class Chip:
    """One piece of evidence for the mood."""

    words: str
    percent: str = ""
    family: str = ""


@dataclass(frozen=True)
class Tag:
    """The effective label, the model's probabilities as bars, and the choices for a correction."""

    label: str | None
    bars: list[Bar]
    choices: list[tuple[str, str]]
    corrected: bool = False
    conformal_set: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return display_name(self.label or "")

    @property
    def sureness(self) -> str:
        return "" if self.corrected else next((b.percent for b in self.bars if b.is_top), "")

    @property
    def is_uncertain(self) -> bool:
        return self.label == UNCERTAIN

    @property
    def either(self) -> str:
        """The alternatives, as in "happy, neutral or surprise"; empty if there are too many."""
        *most, last = [display_name(name) for name in self.conformal_set] or [""]
        return f"{', '.join(most)} or {last}" if 0 < len(most) < LEFT_OPEN else ""

    @property
    def selected(self) -> str:
        if self.is_uncertain:
            return next(iter(self.conformal_set), NONE)
        return self.label or NONE

    @property
    def first(self) -> list[Bar]:
        return self.bars[:SHOWN_BARS]

    @property
    def rest(self) -> list[Bar]:
        return self.bars[SHOWN_BARS:]


@dataclass(frozen=True)
class FaceBox:
    """A face with its emotion; coordinates in percent of the photo's sides."""

    x: float
    y: float
    width: float
    height: float
    label: str

    @property
    def label_x(self) -> float:
        return self.x + self.width if self._is_near_right else self.x

    @property
    def label_anchor(self) -> str:
        return "end" if self._is_near_right else "start"

    @property
    def label_y(self) -> float:
        return self.y + self.height if self._is_near_top else self.y

    @property
    def label_shift(self) -> int:
        """Pixels from the box to the baseline of its label, above or below."""
        return 22 if self._is_near_top else -9

    @property
    def _is_near_top(self) -> bool:
        return self.y < 10

    @property
    def _is_near_right(self) -> bool:
        return self.x > 60


@dataclass(frozen=True)
class Step:
    """A stage of the analysis: "done", "now" or "next"."""

    words: str
    state: str


@dataclass(frozen=True)
class Card:
    """A story in the history; without a mood until it's ready."""

    story: Story
    word: str
    colour: str
    track: Track | None

    @property
    def is_video(self) -> bool:
        return selectors.video_of(self.story) is not None


def direction(steering: float) -> str:
    """Name a position of the slider, as in "lift" or "between match and lift"."""
    place = steering * (len(_DIRECTIONS) - 1)
    before = min(int(place), len(_DIRECTIONS) - 2)
    low, high = _DIRECTIONS[before : before + 2]
    rest = place - before
    return low if rest < 0.1 else high if rest > 0.9 else f"between {low} and {high}"


def percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def display_name(label: str) -> str:
    return _WORDS.get(label, label.replace("_", " "))


def steps(stage: str, stages: Sequence[str]) -> list[Step]:
    """The stages of the analysis with their states; for "", none has begun."""
    current = stages.index(stage) if stage in stages else -1
    return [
        Step(_STEPS[name], "done" if i < current else "now" if i == current else "next")
        for i, name in enumerate(stages)
    ]


def tag(
    label: str | None,
    seen: Mapping[str, float] | None,
    classes: Sequence[str],
    *,
    corrected: bool,
    conformal_set: Sequence[str] = (),
) -> Tag:
    """A tag with the likeliest class first."""
    ordered = sorted((seen or {}).items(), key=lambda item: -item[1])
    choices = [*((name, display_name(name)) for name in sorted(classes)), (NONE, "none of these")]
    bars = [_bar(name, p, label) for name, p in ordered]
    return Tag(label, bars, choices, corrected, tuple(conformal_set))


def intensity(label: str | None, probabilities: Mapping[str, float]) -> Tag:
    """A tag with low, medium and high in this order."""
    known = [name for name in INTENSITIES if name in probabilities]
    return Tag(label, [_bar(name, probabilities[name], label) for name in known], [])


def chips(
    emotion: Tag,
    action: Tag,
    intensity: Tag,
    words: Mapping[str, float] | None,
    scene: Mapping[str, Any] | None = None,
) -> list[Chip]:
    """The evidence for the mood, as far as there is any."""
    evidence = []
    if emotion.is_uncertain:
        evidence.append(Chip("Emotion unsure"))
    elif emotion.label:
        family = _FAMILY.get(emotion.label, "plain")
        evidence.append(Chip(emotion.words.capitalize(), emotion.sureness, family))
    if action.label:
        evidence.append(Chip(action.words.capitalize(), action.sureness))
    if any(bar.is_top and bar.value >= SURE for bar in intensity.bars):
        evidence.append(Chip(f"{intensity.words.capitalize()} intensity", intensity.sureness))
    evidence += [_words_chip(words)] if words else []
    return [*evidence, *_scene_chips(scene or {})]


def _scene_chips(scene: Mapping[str, Any]) -> list[Chip]:
    words = (
        _striking(scene.get("light", 0), "Dark", "Bright"),
        _striking(scene.get("colour", 0), "Muted colours", "Vivid colours"),
    )
    return [Chip(word) for word in words if word]


def _striking(deviation: float, low: str, high: str) -> str:
    return high if deviation >= STRIKING else low if deviation <= -STRIKING else ""


def _words_chip(words: Mapping[str, float]) -> Chip:
    top = max(words, key=lambda name: words[name])
    if words[top] < TELLING:
        return Chip("Your words")
    return Chip(f"{display_name(top).capitalize()} words", percent(words[top]))


def _bar(name: str, value: float, label: str | None) -> Bar:
    return Bar(display_name(name), value, name == label, _FAMILY.get(name, "plain"))


def face_boxes(faces: Iterable[Mapping[str, Any]]) -> list[FaceBox]:
    return [_face_box(face) for face in faces]


def _face_box(face: Mapping[str, Any]) -> FaceBox:
    x, y, width, height = (round(100 * side, 3) for side in face["box"])
    return FaceBox(x, y, width, height, _face_words(face))


def _face_words(face: Mapping[str, Any]) -> str:
    """The label of a face with its probability; "face" without one."""
    label = face.get("label")
    if not label:
        return "face"
    if label == UNCERTAIN:
        return "unsure"
    return f"{display_name(label)} {percent(face['probabilities'][label])}"


def card(story: Story, choice: Choice | None) -> Card:
    mood, words = selectors.mood_of(story), selectors.mood_words_of(story)
    track = choice.track if choice else None
    if mood is None or words is None:
        return Card(story, "", "", track)
    return Card(story, words.word, mood_colour(mood.valence, mood.energy, words.share), track)
