"""Forms of the story pages."""

from __future__ import annotations

from typing import Any

from django import forms

from ml.labels import ACTIONS, EMOTIONS
from recommender.catalogue.spotify_search import FIRST, MOST, PAGE, years_of
from recommender.models import SPOTIFY_ID
from recommender.ranking.music_scope import MusicScope
from stories.models import MAX_CAPTION
from stories.selectors import NONE


class TextAreaField(forms.CharField):
    """Line breaks count as one character, as the page counts them; browsers send two."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class UploadForm(forms.Form):
    """A photo or video with a caption; `once` keeps a double click from making two stories."""

    photo = forms.FileField(
        # stories.uploads.photos refuses an empty file, with the same message everywhere.
        allow_empty_file=True,
        error_messages={"required": "Please choose a photo or a video first."},
    )
    caption = TextAreaField(
        required=False,
        max_length=MAX_CAPTION,
        error_messages={"max_length": f"Please keep the caption under {MAX_CAPTION} characters."},
    )
    once = forms.UUIDField(required=False)


class CorrectionForm(forms.Form):
    """One correction at a time: the emotion, the action or the point of the mood."""

    emotion = forms.ChoiceField(
        required=False, choices=[(name, name) for name in (*EMOTIONS, NONE)]
    )
    action = forms.ChoiceField(required=False, choices=[(name, name) for name in (*ACTIONS, NONE)])
    valence = forms.FloatField(required=False, min_value=0, max_value=1)
    energy = forms.FloatField(required=False, min_value=0, max_value=1)

    def clean(self) -> dict[str, Any]:
        sent = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if set(sent) not in ({"emotion"}, {"action"}, {"valence", "energy"}):
            raise forms.ValidationError("Please correct one thing at a time.")
        return sent

    def correction(self) -> dict[str, Any]:
        """The correction, as arguments of services.correct_story."""
        sent = self.cleaned_data
        return {"mood": (sent["valence"], sent["energy"])} if "valence" in sent else sent


class SteeringForm(forms.Form):
    """A steering position, from match (0) over lift (0.5) to contrast (1)."""

    steering = forms.FloatField(min_value=0, max_value=1)


class MusicScopeForm(forms.Form):
    """Music of one's own, new music, or both."""

    music = forms.TypedChoiceField(
        choices=[(scope.value, scope.name) for scope in MusicScope], coerce=MusicScope
    )


class LearningForm(forms.Form):
    learns = forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], coerce=lambda value: value == "yes"
    )


class TrackForm(forms.Form):
    """A track of the catalogue, or one of Spotify's search by its id there."""

    track = forms.UUIDField(required=False)
    spotify = forms.RegexField(rf"^{SPOTIFY_ID.pattern}\Z", required=False)

    def clean(self) -> dict[str, Any]:
        sent = {name: value for name, value in self.cleaned_data.items() if value}
        if len(sent) != 1:
            raise forms.ValidationError("There's no such track.")
        return {"track_id": sent.get("track"), "spotify_id": sent.get("spotify")}


class FindForm(forms.Form):
    """Words of the title and artists, and filters that Spotify's search has, too."""

    q = forms.CharField(required=False, max_length=200)
    genre = forms.CharField(required=False, max_length=50)
    year = forms.CharField(required=False)
    offset = forms.TypedChoiceField(
        required=False,
        coerce=int,
        choices=[(offset, offset) for offset in range(FIRST, MOST, PAGE)],
    )

    def clean_year(self) -> str:
        year: str = self.cleaned_data["year"]
        try:
            years_of(year)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return year

    def years(self) -> tuple[int, int] | None:
        return years_of(self.cleaned_data["year"])


class SuggestionForm(forms.Form):
    suggestion = forms.UUIDField()
