"""Services: everything that writes to the recommender's tables."""

from recommender.factors.training import export_choices, train_factors
from recommender.factors.versions import (
    load_factors,
    place_new_tracks,
    rebuild_index,
    roll_back_factors,
)
from recommender.services.catalogue import expire_tracks, load_demo_catalogue
from recommender.services.choices import forget_story, remove_choice, save_choice
from recommender.services.features import fill_features
from recommender.services.imports import import_tracks
from recommender.services.intensity import refit_intensity
from recommender.services.preferences import (
    answer_likes,
    claim_demo_notice,
    reset_taste,
    set_learning,
    set_music_scope,
    set_preferences,
    steer_story,
    undo_taste_reset,
)
from recommender.services.saves import recount_saves
from recommender.services.search_words import refresh_words
from recommender.services.spotify_tracks import get_or_store_track
from recommender.services.suggestions import give_feedback, log_suggestions, suggest_tracks
from recommender.services.weights import refit_weights

__all__ = [
    "answer_likes",
    "claim_demo_notice",
    "expire_tracks",
    "export_choices",
    "fill_features",
    "forget_story",
    "get_or_store_track",
    "give_feedback",
    "import_tracks",
    "load_demo_catalogue",
    "load_factors",
    "log_suggestions",
    "place_new_tracks",
    "rebuild_index",
    "recount_saves",
    "refit_intensity",
    "refit_weights",
    "refresh_words",
    "remove_choice",
    "reset_taste",
    "roll_back_factors",
    "save_choice",
    "set_learning",
    "set_music_scope",
    "set_preferences",
    "steer_story",
    "suggest_tracks",
    "train_factors",
    "undo_taste_reset",
]
