"""Words for a mood: its quadrant of the plane, and the feeling of a caption."""

from ml.mood import EMOTION_ANCHORS, Gaussian

QUADRANTS = ("energetic_pleasant", "energetic_unpleasant", "calm_pleasant", "calm_unpleasant")
FEELINGS = ("positive", "neutral", "negative", "mixed")

_MIDDLE, _ = EMOTION_ANCHORS["neutral"]


def quadrant_of(valence: float, energy: float) -> str:
    """Return the one of QUADRANTS in which a point of the plane lies."""
    side = "energetic" if energy >= _MIDDLE else "calm"
    return f"{side}_{'pleasant' if valence >= _MIDDLE else 'unpleasant'}"


def feeling_of(mood: Gaussian) -> str:
    """Return "positive", "negative", or "neutral" within a standard deviation of the middle.

    A single Gaussian is never "mixed"; only people answer that.
    """
    away = float(mood.mean[0]) - _MIDDLE
    if abs(away) <= float(mood.covariance[0, 0]) ** 0.5:
        return "neutral"
    return "positive" if away > 0 else "negative"
