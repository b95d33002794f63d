"""What a model says of a photo in one word, to compare two models."""

from PIL import Image

from ml.action.predict import recognise
from ml.emotion.photo import emotion_of, read_faces
from ml.emotion.predict import answer
from ml.faces.detection import detect
from ml.images import shrink

MAX_SIDE = 2048
"""Longer side in pixels, as `ml.analysis` has it."""


def label_of(name: str, photo: Image.Image) -> str | None:
    """Return the emotion or action of a photo as the model in use labels it; None without a face.

    "none" is a photo of no action, "uncertain" one of no certain emotion.
    """
    photo = shrink(photo, MAX_SIDE)
    if name == "action":
        return recognise(photo)[1] or "none"
    emotion = emotion_of(read_faces(photo, detect(photo)))
    return answer(emotion) if emotion else None
