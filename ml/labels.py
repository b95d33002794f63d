"""Class names used throughout the project."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

UNCERTAIN = "uncertain"
"""Label of a face whose emotion is too uncertain to name; not a class of any model."""

EMOTION_LABELS = (*EMOTIONS, UNCERTAIN)
"""Every label that a face or a photo can get."""

ACTIONS = (
    "calling",
    "clapping",
    "cycling",
    "dancing",
    "drinking",
    "eating",
    "fighting",
    "hugging",
    "laughing",
    "listening_to_music",
    "running",
    "sitting",
    "sleeping",
    "texting",
    "using_laptop",
)

INTENSITIES = ("low", "medium", "high")

# Metabolic equivalents from the 2011 Compendium of Physical Activities (Ainsworth et al.,
# https://pacompendium.com), code and MET of the nearest entry: 1 MET is sitting still.
ACTION_MET = {
    "calling": 1.8,  # 09050 standing, talking on the phone
    "clapping": 2.0,  # 20020 standing, active participation in a ceremony
    "cycling": 7.5,  # 01015 bicycling, general
    "dancing": 7.8,  # 03031 general dancing
    "drinking": 2.0,  # 13035 talking and eating or eating only, standing
    "eating": 1.5,  # 13030 eating, sitting
    "fighting": 7.8,  # 15120 boxing, sparring
    "hugging": 1.3,  # 14030 passive, light effort, kissing, hugging
    "laughing": 1.0,  # 09025 laughing, sitting
    "listening_to_music": 1.5,  # 07025 sitting, listening to music
    "running": 9.8,  # 12050 running, 6 mph
    "sitting": 1.3,  # 07020 sitting quietly
    "sleeping": 0.95,  # 07030 sleeping
    "texting": 1.5,  # 09055 sitting, text messaging
    "using_laptop": 1.3,  # 11770 typing, computer
}


def _intensity(met: float) -> str:
    """Return low up to 1.5 MET (sedentary), high from 6 MET (vigorous), else medium."""
    return "low" if met <= 1.5 else "high" if met >= 6 else "medium"


ACTION_INTENSITY = {action: _intensity(met) for action, met in ACTION_MET.items()}
