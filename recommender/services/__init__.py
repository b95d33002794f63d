"""Everything that writes here."""

from recommender.services.catalogue import expire_tracks, load_demo_catalogue
from recommender.services.choices import forget_story, remove_choice, save_choice
from recommender.services.features import fill_features
from recommender.services.imports import import_tracks
from recommender.services.intensity import refit_intensity
from recommender.services.suggestions import give_feedback, suggest_tracks

__all__ = [
    "expire_tracks",
    "fill_features",
    "forget_story",
    "give_feedback",
    "import_tracks",
    "load_demo_catalogue",
    "refit_intensity",
    "remove_choice",
    "save_choice",
    "suggest_tracks",
]
