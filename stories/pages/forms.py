"""Forms of the story pages."""

from __future__ import annotations

from typing import Any

from django import forms

from ml.labels import ACTIONS, EMOTIONS
from stories.models import MAX_CAPTION
from stories.selectors import NONE


class UploadForm(forms.Form):
    """A photo or video with a caption; `once` keeps a double click from making two stories."""

    photo = forms.FileField(
        # stories.uploads.photos refuses an empty file, with the same message everywhere.
        allow_empty_file=True,
        error_messages={"required": "Please choose a photo or a video first."},
    )
    caption = forms.CharField(
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


class LearningForm(forms.Form):
    learns = forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], coerce=lambda value: value == "yes"
    )


class TrackForm(forms.Form):
    track = forms.UUIDField()


class SuggestionForm(forms.Form):
    suggestion = forms.UUIDField()
