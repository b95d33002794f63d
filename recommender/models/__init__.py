"""The recommender's tables."""

from recommender.models.factors import (
    FactorVersion,
    TrackFactor,
    TrackSaves,
)
from recommender.models.library import LibraryImport, LibrarySync, LibraryTrack
from recommender.models.suggestions import (
    Choice,
    RankingWeights,
    StoryTuning,
    Suggestion,
)
from recommender.models.taste import (
    MusicPreferences,
    TasteProfile,
    TasteReset,
)
from recommender.models.tracks import (
    IMPORTED,
    POPULAR_FROM,
    RELEASE_DATE,
    SHARED,
    SPOTIFY_ID,
    UNIT_FEATURES,
    FeatureMiss,
    IntensityModel,
    MoodPoint,
    SearchWord,
    Track,
    spotify_id_of,
)

__all__ = [
    "IMPORTED",
    "POPULAR_FROM",
    "RELEASE_DATE",
    "SHARED",
    "SPOTIFY_ID",
    "UNIT_FEATURES",
    "Choice",
    "FactorVersion",
    "FeatureMiss",
    "IntensityModel",
    "LibraryImport",
    "LibrarySync",
    "LibraryTrack",
    "MoodPoint",
    "MusicPreferences",
    "RankingWeights",
    "SearchWord",
    "StoryTuning",
    "Suggestion",
    "TasteProfile",
    "TasteReset",
    "Track",
    "TrackFactor",
    "TrackSaves",
    "spotify_id_of",
]
