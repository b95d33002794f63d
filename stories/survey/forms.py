"""The survey form: fifteen actions on three levels, and how much music matters."""

from __future__ import annotations

from typing import Any

from django import forms

from ml.labels import ACTIONS, INTENSITIES
from stories.models import MUSIC, MUSIC_LEVELS
from stories.pages.presenters import display_name

SKIP = ""


class SurveyForm(forms.Form):
    """The survey; every question is optional."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for action in ACTIONS:
            self.fields[action] = _question(display_name(action).capitalize(), INTENSITIES)
        self.fields[MUSIC] = _question("How important is music to your stories?", MUSIC_LEVELS)

    def answers(self) -> dict[str, str]:
        """The answers given, {question: level}."""
        return {name: value for name, value in self.cleaned_data.items() if value != SKIP}


def _question(label: str, levels: tuple[str, ...]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[(level, level.capitalize()) for level in levels],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Please choose one of the answers shown."},
    )
