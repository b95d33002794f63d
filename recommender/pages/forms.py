"""Forms for music preferences and filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from recommender.catalogue.release_years import FIRST_YEAR, LAST_YEAR
from recommender.models import MusicPreferences
from recommender.selectors import known_genres, known_languages


def _title(genre: str) -> str:
    return f"{genre[:1].upper()}{genre[1:]}".replace("R&b", "R&B")


def _multiple_choice(label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        required=False, label=label, widget=forms.CheckboxSelectMultiple
    )


class _PreferencesForm(forms.Form):
    """Offers the catalogue's genres and languages, and those already chosen."""

    def __init__(
        self, preferences: MusicPreferences, data: Mapping[str, Any] | None = None
    ) -> None:
        initial = {name: getattr(preferences, name, None) for name in self.base_fields}
        super().__init__(data, initial=initial)
        known = {
            "genres": [(name, _title(name)) for name in known_genres()],
            "languages": known_languages(),
        }
        for name, field in self.fields.items():
            if isinstance(field, forms.MultipleChoiceField):
                offered = known[name.removeprefix("liked_")]
                missing = set(getattr(preferences, name)) - {value for value, _ in offered}
                field.choices = [*offered, *((value, value) for value in sorted(missing))]


class LikesForm(_PreferencesForm):
    """What a newcomer likes; every field is optional."""

    liked_genres = _multiple_choice("Which of these do you like?")
    liked_languages = _multiple_choice("Which languages do you like to hear songs in?")

    def __init__(
        self, preferences: MusicPreferences, data: Mapping[str, Any] | None = None
    ) -> None:
        """Ask a question that has one possible answer only of people who have given it."""
        super().__init__(preferences, data)
        for name, field in self.fields.items():
            if isinstance(field, forms.MultipleChoiceField):
                choices = list(field.widget.choices)
                field.choices = choices if len(choices) > 1 or getattr(preferences, name) else []


class FiltersForm(_PreferencesForm):
    """Filters on which tracks are suggested."""

    no_explicit = forms.BooleanField(required=False, label="Leave out explicit tracks")
    genres = _multiple_choice("Only these genres")
    languages = _multiple_choice("Only these languages")
    year_from = forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="Released from"
    )
    year_to = forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="to"
    )

    def __init__(
        self, preferences: MusicPreferences, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(preferences, data)
        self.initial["no_explicit"] = not preferences.allow_explicit

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("year_from"), self.cleaned_data.get("year_to")
        if first is not None and last is not None and first > last:
            raise forms.ValidationError("The first year is after the last one.")
        return self.cleaned_data

    def preferences(self) -> dict[str, Any]:
        """The cleaned data as fields of MusicPreferences."""
        data = dict(self.cleaned_data)
        return {"allow_explicit": not data.pop("no_explicit"), **data}
