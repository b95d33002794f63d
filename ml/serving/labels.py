"""What a model says of a photo in one word, to compare two models."""

from PIL import Image

from ml.action.backbone import encode, preprocess
from ml.action.predict import recognise
from ml.emotion.photo import emotion_of, read_faces
from ml.emotion.predict import answer
from ml.faces.people import find_people
from ml.images import shrink_photo


def label_of(name: str, photo: Image.Image) -> str | None:
    """Return the emotion or action of a photo as the model in use labels it; None without a face.

    "none" is a photo of no action, "uncertain" one of no certain emotion.
    """
    photo = shrink_photo(photo)
    if name == "action":
        return recognise(encode([preprocess(photo)]))[1] or "none"
    emotion = emotion_of(read_faces(photo, find_people(photo)))
    return answer(emotion) if emotion else None
