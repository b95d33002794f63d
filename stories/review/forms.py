"""What the review pages send."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from ml.labels import ACTIONS, EMOTIONS
from stories.models import Reason
from stories.pages.forms import TextAreaField
from stories.pages.presenters import display_name
from stories.review.answers import CHOICES, MARKS
from stories.review.services.reviews import NOT_IN_BULK

# Beyond this the page was left open, and the time says nothing about the photo.
MOST_SECONDS = 3600.0
FACE = "face-"


class ReviewForm(forms.Form):
    """What goes with the answers: a note, and how long the photo was looked at."""

    note = TextAreaField(
        required=False,
        max_length=1000,
        error_messages={"max_length": "Please keep the note under 1,000 characters."},
    )
    seconds = forms.FloatField(required=False, min_value=0)

    def clean_seconds(self) -> float | None:
        seconds: float | None = self.cleaned_data["seconds"]
        return None if seconds is None or seconds > MOST_SECONDS else seconds


class BulkForm(forms.Form):
    """Which items to list: one queue, one predicted class, from some confidence on."""

    queue = forms.ChoiceField(
        choices=[(one.value, one.label.capitalize()) for one in Reason if one not in NOT_IN_BULK]
    )
    tag = forms.ChoiceField(
        label="Predicted",
        required=False,
        choices=[
            ("", "Anything"),
            *((f"emotion:{one}", display_name(one).capitalize()) for one in EMOTIONS),
            *((f"action:{one}", display_name(one).capitalize()) for one in ACTIONS),
        ],
    )
    confidence = forms.ChoiceField(
        label="At least this sure",
        required=False,
        choices=[("", "Any")] + [(f"{p / 100}", f"{p} %") for p in (50, 60, 70, 80, 90, 95)],
    )

    def clean_confidence(self) -> float:
        return float(self.cleaned_data["confidence"] or 0)


def answers(sent: QueryDict) -> dict[str, Any]:
    """The answers in a form, as stories.review.answers has them, still unchecked."""
    given: dict[str, Any] = {name: sent[name] for name in CHOICES if sent.get(name)}
    given |= {name: True for name in MARKS if name in sent}
    faces = {name.removeprefix(FACE): sent[name] for name in sent if name.startswith(FACE)}
    return given | ({"faces": faces} if faces else {})


def item_ids(sent: QueryDict, name: str) -> list[UUID]:
    """The ids that a field lists; what isn't an id is left out."""
    found = []
    for text in sent.getlist(name):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
