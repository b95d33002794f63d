"""Classes of a mood: its quadrant around the mean of all music, and the feeling of a caption."""

from ml.mood import MUSIC_MEAN, Gaussian

QUADRANTS = ("energetic_pleasant", "energetic_unpleasant", "calm_pleasant", "calm_unpleasant")
FEELINGS = ("positive", "neutral", "negative", "mixed")


def quadrant_of(valence: float, energy: float) -> str:
    """Return the one of QUADRANTS in which a point of the plane lies."""
    middle_valence, middle_energy = MUSIC_MEAN
    side = "energetic" if energy >= middle_energy else "calm"
    return f"{side}_{'pleasant' if valence >= middle_valence else 'unpleasant'}"


def feeling_of(mood: Gaussian) -> str:
    """Return "positive", "negative", or "neutral" within a standard deviation of the middle.

    A single Gaussian is never "mixed"; only people answer that.
    """
    away = float(mood.mean[0]) - MUSIC_MEAN[0]
    if abs(away) <= float(mood.covariance[0, 0]) ** 0.5:
        return "neutral"
    return "positive" if away > 0 else "negative"
