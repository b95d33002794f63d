"""What people say of music on the pages, checked and named as the services take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from recommender.catalogue.release_years import FIRST_YEAR, LAST_YEAR
from recommender.models import MusicPreferences
from recommender.selectors import known_genres, known_languages


def _title(genre: str) -> str:
    return f"{genre[:1].upper()}{genre[1:]}".replace("R&b", "R&B")


def _several(label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        required=False, label=label, widget=forms.CheckboxSelectMultiple
    )


class _AboutMusic(forms.Form):
    """Genres and languages are those of the catalogue, and those that were said before."""

    def __init__(self, said: MusicPreferences, data: Mapping[str, Any] | None = None) -> None:
        initial = {name: getattr(said, name, None) for name in self.base_fields}
        super().__init__(data, initial=initial)
        known = {
            "genres": [(name, _title(name)) for name in known_genres()],
            "languages": known_languages(),
        }
        for name, field in self.fields.items():
            if isinstance(field, forms.MultipleChoiceField):
                there = known[name.removeprefix("liked_")]
                gone = set(getattr(said, name)) - {value for value, _ in there}
                field.choices = [*there, *((value, value) for value in sorted(gone))]


class LikesForm(_AboutMusic):
    """What a newcomer likes; everything may be left out."""

    liked_genres = _several("Which of these do you like?")
    liked_languages = _several("In which languages do you like songs to be sung?")

    def __init__(self, said: MusicPreferences, data: Mapping[str, Any] | None = None) -> None:
        """A question with a single answer is asked only of who has given that answer."""
        super().__init__(said, data)
        for name, field in self.fields.items():
            if isinstance(field, forms.MultipleChoiceField):
                choices = list(field.widget.choices)
                field.choices = choices if len(choices) > 1 or getattr(said, name) else []


class FiltersForm(_AboutMusic):
    """Which tracks somebody wants at all."""

    no_explicit = forms.BooleanField(required=False, label="Leave out explicit tracks")
    genres = _several("Only these genres")
    languages = _several("Only these languages")
    year_from = forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="Released from"
    )
    year_to = forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="to"
    )

    def __init__(self, said: MusicPreferences, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(said, data)
        self.initial["no_explicit"] = not said.allow_explicit

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("year_from"), self.cleaned_data.get("year_to")
        if first is not None and last is not None and first > last:
            raise forms.ValidationError("The first year is after the last one.")
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """By the names of MusicPreferences."""
        sent = dict(self.cleaned_data)
        return {"allow_explicit": not sent.pop("no_explicit"), **sent}
