"""View models of the review page: questions, their answers with keys, and the model's bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml.labels import ACTIONS, UNCERTAIN
from ml.review.mood_classes import FEELINGS, QUADRANTS
from stories.models import Photo, Review, ReviewItem
from stories.pages.presenters import display_name, percent
from stories.review.answers import CANNOT_TELL, CHOICES, FACE_ANSWERS, MARKS, NONE, by_tag
from stories.review.selectors import predicted, why
from stories.selectors import video_of

# Names of keys as KeyboardEvent.key has them; "Space" stands for " ".
# Of a face: enough for ten emotions and the answers beside them.
FACE_KEY_ROW = "1234567890-,."
FACE_KEYS = {answer: FACE_KEY_ROW[place] for place, answer in enumerate(FACE_ANSWERS)}
KEYS: Mapping[str, Mapping[str, str]] = {
    "action": {**dict(zip(ACTIONS, "cpydkefhlmrsztu", strict=True)), NONE: "x", CANNOT_TELL: "q"},
    "caption": {**dict(zip(FEELINGS, "gobi", strict=True)), CANNOT_TELL: "v"},
    # Each arrow settles one side: up and down the energy, left and right the pleasantness.
    "quadrant": {
        "energetic_unpleasant": "ArrowUp ArrowLeft",
        "energetic_pleasant": "ArrowUp ArrowRight",
        "calm_unpleasant": "ArrowDown ArrowLeft",
        "calm_pleasant": "ArrowDown ArrowRight",
        CANNOT_TELL: "j",
    },
}
MARK_KEYS = dict(zip(MARKS, "aw", strict=True))
_SHOWN = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→"}
_TITLES = {"action": "Action", "caption": "Feeling of the caption", "quadrant": "Mood"}
_WORDS = {
    CANNOT_TELL: "can’t tell",
    NONE: "none of these",
    **{name: name.replace("_", ", ") for name in QUADRANTS},
}
_MARK_WORDS = {"missed_face": "A face was missed", "no_face": "No face in the photo"}
# Of the photo's longer side: large enough to be read over a photo that fills a phone.
_NUMBER_SIZE = 1 / 24


@dataclass(frozen=True)
class Option:
    """One possible answer; `share` is the model's probability, None where it gave none."""

    value: str
    key: str
    is_chosen: bool
    share: float | None

    @property
    def words(self) -> str:
        return answer_words(self.value)

    @property
    def shown_key(self) -> str:
        return " ".join(_SHOWN.get(key, key.upper()) for key in self.key.split())

    @property
    def percent(self) -> str:
        """Empty for what the model all but rules out: it would only crowd the others."""
        return percent(self.share) if self.share and self.share >= 0.005 else ""

    @property
    def width(self) -> float:
        return round(100 * (self.share or 0), 1)


@dataclass(frozen=True)
class Question:
    """What is asked with one answer; `name` is that of the form's field."""

    name: str
    title: str
    options: Sequence[Option]
    in_doubt: bool = False

    @property
    def chosen(self) -> str:
        return next((one.words for one in self.options if one.is_chosen), "")


@dataclass(frozen=True)
class Mark:
    """What is either marked or not."""

    name: str
    words: str
    key: str
    is_chosen: bool


@dataclass(frozen=True)
class NumberedBox:
    """A face's box in the photo's pixels, and where its number is written."""

    number: int
    x: float
    y: float
    width: float
    height: float
    size: float

    @property
    def text_y(self) -> float:
        """The number's baseline: inside the box, under its upper edge."""
        return self.y + self.size


def item_page(item: ReviewItem, earlier: Review | None = None) -> dict[str, Any]:
    """What the page shows of an item; `earlier` is the reviewer's review that was undone."""
    said = predicted(item.story.analysis)
    shown: Mapping[str, Any] = earlier.answers if earlier else {} if item.blind else said["labels"]
    return {
        "item": item,
        "why": _why(item),
        "queue_label": "blind check" if item.blind else item.get_reason_display(),
        "photo": item.story.photo,
        "is_video": video_of(item.story) is not None,
        "boxes": _boxes(said["faces"], item.story.photo),
        "faces": (faces := _faces(item, said["faces"], shown.get("faces", {}))),
        "open_face": next((one for one in faces if one.in_doubt), next(iter(faces), None)),
        "questions": list(_questions(item, said, shown)),
        "marks": [
            Mark(name, _MARK_WORDS[name], MARK_KEYS[name], bool(shown.get(name))) for name in MARKS
        ],
        "note": earlier.note if earlier else "",
    }


def answer_words(answer: str) -> str:
    """An answer as people read it."""
    return _WORDS.get(answer) or display_name(answer)


def last_review(review: Review) -> dict[str, str]:
    """What the reviewer said last, beside what the model had said about the same."""
    model = by_tag(review.predicted["labels"])
    said = by_tag(review.answers)
    return {
        "answers": _listed(said.items()),
        "model": _listed((name, model.get(name)) for name in said if name not in MARKS),
    }


def accepted_tags(said: Mapping[str, Any]) -> list[str]:
    """What accepting a photo in a list says about it, the surest tags with their probabilities."""
    labels = said["labels"]
    faces = [_sureness(face["label"], face["probabilities"]) for face in said["faces"]]
    action = _sureness(labels.get("action"), said["action"])
    rest = [answer_words(labels[name]) for name in ("caption", "quadrant") if labels.get(name)]
    lines = (", ".join(filter(None, words)) for words in (faces, [action], rest))
    return [line for line in lines if line]


def _listed(answers: Iterable[tuple[str, Any]]) -> str:
    words = [
        _MARK_WORDS.get(name) or answer_words(str(said or "nothing")) for name, said in answers
    ]
    return ", ".join(word.lower() for word in words)


def _sureness(label: str | None, shares: Mapping[str, float] | None) -> str:
    """A label with its probability; empty for one that accepting leaves out."""
    if not label or label == UNCERTAIN:
        return ""
    share = (shares or {}).get(label)
    return f"{answer_words(label)} {percent(share)}" if share is not None else answer_words(label)


def _boxes(faces: Sequence[Mapping[str, Any]], photo: Photo) -> list[NumberedBox]:
    size = round(max(photo.width, photo.height) * _NUMBER_SIZE, 1)
    return [_box(face["box"], number, photo, size) for number, face in enumerate(faces, start=1)]


def _box(box: Sequence[float], number: int, photo: Photo, size: float) -> NumberedBox:
    x, y, width, height = (
        round(side * of, 1) for side, of in zip(box, (photo.width, photo.height) * 2, strict=True)
    )
    return NumberedBox(number, x, y, width, height, size)


def _why(item: ReviewItem) -> str:
    """Why it's here; of a likely label error, also which answers are in doubt."""
    faces = [f"face {int(tag[5:]) + 1}" for tag in item.doubts if tag.startswith("face:")]
    named = [*faces, *(f"the {tag}" for tag in item.doubts if not tag.startswith("face:"))]
    return f"{why(item)} Please look at {' and '.join(named)} again." if named else why(item)


def _faces(
    item: ReviewItem, faces: Sequence[Mapping[str, Any]], shown: Mapping[str, str]
) -> list[Question]:
    of = f" of {len(faces)}" if len(faces) > 1 else ""
    return [
        Question(
            f"face-{index}",
            f"Face {index + 1}{of}" if of else "Face",
            _options(
                FACE_KEYS, shown.get(str(index)), None if item.blind else face["probabilities"]
            ),
            in_doubt=f"face:{index}" in item.doubts,
        )
        for index, face in enumerate(faces)
    ]


def _questions(
    item: ReviewItem, said: Mapping[str, Any], shown: Mapping[str, Any]
) -> Iterable[Question]:
    for name in CHOICES:
        if name != "caption" or item.story.caption:
            shares = said["action"] if name == "action" and not item.blind else None
            options = _options(KEYS[name], shown.get(name), shares)
            yield Question(name, _TITLES[name], options, in_doubt=name in item.doubts)


def _options(
    keys: Mapping[str, str], chosen: str | None, shares: Mapping[str, float] | None
) -> list[Option]:
    return [
        Option(value, key, value == chosen, shares.get(value) if shares else None)
        for value, key in keys.items()
    ]


def key_map() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every key by what it is about, for the page that lists them."""
    shown = {
        name: [(o.shown_key, o.words) for o in _options(KEYS[name], None, None)] for name in KEYS
    }
    marks = [(MARK_KEYS[name].upper(), _MARK_WORDS[name]) for name in MARKS]
    faces = [(key, answer_words(value)) for value, key in FACE_KEYS.items()]
    return [
        ("Photo", _GENERAL),
        ("Face", [*faces, ("N", "next face"), *marks]),
        *((_TITLES[name], shown[name]) for name in CHOICES),
    ]


_GENERAL = [
    ("Enter", "accept as shown, or save"),
    ("Space", "skip"),
    ("Backspace", "undo the last one"),
    ("/", "write a note; Esc leaves it"),
    ("?", "these keys"),
]
