"""Read tracks, suggestions and choices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import User
from recommender.catalogue import demo_tracks, search, shared_tracks
from recommender.catalogue.languages import language_name
from recommender.engine.scoring import MODEL_VERSION, Weights
from recommender.engine.tracks.genres import FAMILIES
from recommender.engine.tracks.intensity import LEVELS, IntensityFit
from recommender.engine.tracks.song_keys import fold
from recommender.models import (
    SPOTIFY_ID,
    Choice,
    FeatureMiss,
    IntensityModel,
    LibraryTrack,
    MusicPreferences,
    RankingWeights,
    StoryTuning,
    Suggestion,
    TasteProfile,
    TasteReset,
    Track,
)

# A provider that didn't know a track is asked again after this time.
ASK_AGAIN_AFTER = timedelta(days=30)


def latest_suggestions(story_ids: Iterable[UUID]) -> QuerySet[Suggestion]:
    """The latest list of each story by rank, including refused tracks; empty if none fits."""
    empty = StoryTuning.objects.filter(pk=OuterRef("story_id"), fits_nothing=True)
    shown = Suggestion.objects.filter(~Exists(empty), story_id__in=list(story_ids))
    latest = shown.order_by("story_id", "-shown_at").distinct("story_id").values("batch")
    return Suggestion.objects.filter(batch__in=latest).select_related("track").order_by("rank")


def listed_suggestions(story_ids: Iterable[UUID]) -> QuerySet[Suggestion]:
    """The latest list of each story by rank, without refused tracks."""
    return latest_suggestions(story_ids).exclude(feedback=Suggestion.Feedback.NOT_THIS_ONE)


def current_suggestions(story_id: UUID) -> list[Suggestion]:
    """The story's latest list by rank, without refused tracks."""
    return list(listed_suggestions([story_id]))


def refused_suggestions(story_id: UUID) -> list[Suggestion]:
    """The refused tracks of the story's latest list, which can be restored."""
    refused = Suggestion.Feedback.NOT_THIS_ONE
    return list(latest_suggestions([story_id]).filter(feedback=refused))


def get_suggestion(user: User, suggestion_id: UUID) -> Suggestion | None:
    """One suggestion that was shown to this person."""
    own = Suggestion.objects.filter(user=user, pk=suggestion_id)
    return own.select_related("track").first()


def search_tracks(
    q: str, limit: int = 20, *, genre: str = "", years: tuple[int, int] | None = None
) -> list[Track]:
    """Songs whose title and artists contain every word of `q`, as a word or a prefix.

    The most popular come first, then near matches. Accents and case don't matter, and a song with
    several ids is found once. `genre` is part of the source's name of it or of its family; `years`
    are the first and the last.
    """
    words = fold(q).split()
    tracks = playable().filter(shared_tracks.used())
    if genre:
        tracks = tracks.filter(Q(genre__icontains=genre) | Q(genre_family__icontains=genre))
    if years:
        tracks = tracks.filter(release_year__range=years)
    return search.find(tracks, words, limit) if words else []


def playable() -> QuerySet[Track]:
    """Tracks whose cached description has not expired."""
    return Track.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def tracks_lacking_features(
    provider: str, *, limit: int, user: User | None = None, private: bool = False
) -> list[Track]:
    """Tracks without a mood that this provider may know and hasn't been asked for recently.

    With `user` only those of their library, with `private` those of anybody's.
    """
    recent_misses = FeatureMiss.objects.filter(
        track=OuterRef("pk"), provider=provider, asked_at__gt=timezone.now() - ASK_AGAIN_AFTER
    )
    lacking = playable().filter(Q(energy=None) | Q(valence=None), ~Exists(recent_misses))
    known_by_id = lacking.exclude(source=Track.Source.DEMO).filter(
        source_id__regex=f"^{SPOTIFY_ID.pattern}$"
    )
    if private:
        known_by_id = known_by_id.filter(source=Track.Source.SPOTIFY)
    if user is not None:
        held = LibraryTrack.objects.filter(user=user)
        known_by_id = known_by_id.filter(pk__in=held.values("track"))
    return list(known_by_id.order_by("pk")[:limit])


def count_tracks_without_mood() -> int:
    """The number of tracks that can't be suggested yet."""
    return Track.objects.filter(Q(energy=None) | Q(valence=None)).count()


def ranking_weights() -> tuple[Weights, str]:
    """The current weights and the model version under which their lists are logged."""
    learned = RankingWeights.objects.first()
    return (learned.as_weights, learned.model_version) if learned else (Weights(), MODEL_VERSION)


def weights_of(model_version: str) -> Weights:
    """The weights of a model version."""
    number = model_version.removeprefix(f"{MODEL_VERSION}.")
    learned = RankingWeights.objects.filter(pk=number) if number.isdecimal() else None
    stored = learned.first() if learned is not None else None
    return stored.as_weights if stored else Weights()


def intensity_model() -> IntensityModel | None:
    """The current intensity model; None before the first fit."""
    return IntensityModel.objects.first()


def intensity_fit() -> IntensityFit | None:
    """The current intensity fit in the engine's format."""
    model = intensity_model()
    return model.fit if model else None


@dataclass(frozen=True)
class EnergyOfLevel:
    """The energies of the tracks of one class."""

    level: str
    counts: list[int]
    """Tracks per twentieth of the energy's range."""
    mean: float

    @property
    def n_tracks(self) -> int:
        return sum(self.counts)


def energy_by_intensity(bins: int = 20) -> list[EnergyOfLevel]:
    """The distribution of energy within each class, the calmest first."""
    bin_of = Func(F("energy"), 0.0, 1.0, bins, function="width_bucket", output_field=IntegerField())
    rows = (
        Track.objects.filter(shared_tracks.used())
        .exclude(intensity="")
        .order_by()
        .values("intensity", bin=Least(bin_of, bins))
        .annotate(n=Count("pk"), total=Sum("energy"))
    )
    counts = {level: [0] * bins for level in LEVELS}
    totals = dict.fromkeys(LEVELS, 0.0)
    for row in rows:
        counts[row["intensity"]][row["bin"] - 1] += row["n"]
        totals[row["intensity"]] += row["total"]
    return [
        EnergyOfLevel(level, counts[level], totals[level] / max(sum(counts[level]), 1))
        for level in LEVELS
    ]


def get_choice(story_id: UUID) -> Choice | None:
    """The track saved with the story, if one was."""
    return Choice.objects.filter(story_id=story_id).select_related("track").first()


def choices_by_story(story_ids: Iterable[UUID]) -> dict[UUID, Choice]:
    """The saved track of each of these stories that has one."""
    choices = Choice.objects.filter(story_id__in=list(story_ids)).select_related("track")
    return {choice.story_id: choice for choice in choices}


def chosen_tracks(story_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The id of the saved track of each of these stories that has one."""
    choices = Choice.objects.filter(story_id__in=list(story_ids))
    return dict(choices.values_list("story_id", "track_id"))


def get_demo_track(track_id: UUID) -> Track | None:
    """A track of the demo catalogue, whose sound can be rendered."""
    return Track.objects.filter(pk=track_id, source=Track.Source.DEMO).first()


def taste_profile(user: User) -> TasteProfile | None:
    """The person's taste profile; None before their first saved track."""
    return TasteProfile.objects.filter(user=user).first()


def learned_choices(user: User) -> QuerySet[Choice]:
    """The person's choices that Storify learns from."""
    return Choice.objects.filter(demo_tracks.used("track__"), user=user, learns=True)


def story_tuning(story_id: UUID) -> StoryTuning:
    """The story's tuning, or the default."""
    stored = StoryTuning.objects.filter(pk=story_id).first()
    return stored or StoryTuning(story_id=story_id)


def music_preferences(user: User) -> MusicPreferences:
    """The person's music preferences, or the defaults."""
    return MusicPreferences.objects.filter(user=user).first() or MusicPreferences(user=user)


def latest_reset(user: User) -> TasteReset | None:
    """The reset of this person's taste that can be undone."""
    return TasteReset.objects.filter(user=user).first()


def is_new_to_music(user: User) -> bool:
    """Whether the person was never asked what they like and has saved nothing."""
    return not (
        MusicPreferences.objects.filter(user=user, asked_at__isnull=False).exists()
        or Choice.objects.filter(demo_tracks.used("track__"), user=user).exists()
    )


def known_genres() -> list[str]:
    """The families of genres in the catalogue, in their usual order."""
    present = _values_in_catalogue("genre_family")
    return [name for name in FAMILIES if name in present]


def known_languages() -> list[tuple[str, str]]:
    """The languages in the catalogue as code and name, by name."""
    present = _values_in_catalogue("language")
    return sorted(((code, language_name(code)) for code in present), key=lambda pair: pair[1])


def _values_in_catalogue(column: str) -> list[str]:
    """All values of an indexed column of the tracks in use.

    A loose index scan: it jumps from each value in the column's index to the next.
    """
    following = (
        f"SELECT min({column}) FROM recommender_track WHERE {shared_tracks.USED} AND {column} >"  # noqa: S608
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE known (value) AS (({following} '')"  # noqa: S608
            f" UNION ALL SELECT ({following} value) FROM known WHERE value IS NOT NULL)"
            " SELECT value FROM known WHERE value IS NOT NULL",
            demo_tracks.parameters(),
        )
        return [value for (value,) in cursor.fetchall()]
