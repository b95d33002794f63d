"""Export and erase a person's music data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from accounts.models import User
from accounts.personal_data import register
from accounts.spotify.scopes import Purpose
from accounts.transactions import atomic_with_retry
from recommender.library import selectors as library_selectors
from recommender.library.importing.jobs import forget_imports
from recommender.library.services import delete_library, delete_needless, start_sync
from recommender.locks import lock_profile
from recommender.models import (
    Choice,
    LibraryImport,
    LibraryTrack,
    MusicPreferences,
    StoryTuning,
    Suggestion,
    TasteProfile,
    TasteReset,
    Track,
)
from recommender.services.saves import recount_saves
from recommender.services.taste import recount_taste

_PREFERENCE_FIELDS = (
    *("liked_genres", "liked_languages", "asked_at"),
    *("allow_explicit", "genres", "languages", "year_from", "year_to"),
)


def take_part() -> None:
    """Register for export, deletion and disconnecting from Spotify."""
    register(
        "music",
        export=export,
        erase=erase,
        erase_spotify=erase_spotify,
        spotify_allowed=start_reading,
        spotify_withdrawn=forget_library,
        spotify_renewed=resume_reading,
    )


def start_reading(user: User, purpose: Purpose) -> None:
    """Read the music of somebody who has just allowed it."""
    if purpose == Purpose.LIBRARY:
        start_sync(user=user)


def resume_reading(user: User, purpose: Purpose) -> None:
    """Read on where the connection had expired; somebody who deleted their copy asks themselves."""
    sync = library_selectors.sync_of(user)
    if purpose == Purpose.LIBRARY and sync and sync.state == sync.State.FAILED:
        start_sync(user=user)


def forget_library(user: User, purpose: Purpose) -> None:
    """Delete the music of somebody who no longer allows it to be read; files were never that."""
    if purpose == Purpose.LIBRARY:
        delete_library(user=user, keep_imports=True)


def export(user: User) -> Iterator[tuple[str, bytes]]:
    """The person's saved and suggested tracks, library, taste profile and preferences."""
    choices = Choice.objects.filter(user=user).select_related("track")
    yield "music/saved.json", _json({**_track(c.track), **_choice(c)} for c in choices)
    shown = Suggestion.objects.filter(user=user).select_related("track")
    yield "music/suggested.json", _json({**_track(s.track), **_suggestion(s)} for s in shown)
    held = library_selectors.library_of(user).select_related("track")
    own = held.order_by("source", "rank", "pk")
    yield "music/library.json", _json({**_track(h.track), **_held(h)} for h in own)
    files = LibraryImport.objects.filter(user=user)
    yield (
        "music/imports.json",
        _json({"file": f.name, "at": f.created_at, "report": f.report} for f in files),
    )
    profiles = TasteProfile.objects.filter(user=user)
    yield (
        "music/taste.json",
        _json({"vector": p.vector, "saved_tracks": p.n_choices} for p in profiles),
    )
    preferences = MusicPreferences.objects.filter(user=user)
    yield (
        "music/preferences.json",
        _json({n: getattr(p, n) for n in _PREFERENCE_FIELDS} for p in preferences),
    )
    tunings = StoryTuning.objects.filter(user=user)
    yield (
        "music/stories.json",
        _json(
            {
                "story": t.story_id,
                "steering": t.steering,
                "learned_from": t.learns,
                "music": t.music,
            }
            for t in tunings
        ),
    )
    resets = TasteReset.objects.filter(user=user)
    yield "music/taste_resets.json", _json({"at": reset.at} for reset in resets)


@atomic_with_retry
def erase(user: User) -> None:
    """Delete everything about the person."""
    lock_profile(user)
    choices, shown = Choice.objects.filter(user=user), Suggestion.objects.filter(user=user)
    tracks = [*choices.order_by().values_list("track_id", flat=True)]
    seen = {*tracks, *shown.order_by().values_list("track_id", flat=True)}
    for model in (TasteReset, StoryTuning, Choice, Suggestion, TasteProfile, MusicPreferences):
        model._default_manager.filter(user=user).delete()
    delete_library(user=user)
    forget_imports(user=user)
    delete_needless(track_ids=seen)
    recount_saves(track_ids=tracks)


@atomic_with_retry
def erase_spotify(user: User) -> None:
    """Delete what came from the person's Spotify, and tracks cached only for them."""
    if TasteProfile.objects.filter(user=user).exists():
        lock_profile(user)
    from_spotify = {"user": user, "track__source": Track.Source.SPOTIFY}
    choices, shown = (
        Choice.objects.filter(**from_spotify),
        Suggestion.objects.filter(**from_spotify),
    )
    seen = {row.track_id for rows in (choices, shown) for row in rows.only("track")}
    choices.delete()
    shown.delete()
    if TasteProfile.objects.filter(user=user).exists():
        recount_taste(user=user)
    delete_library(user=user)
    forget_imports(user=user)
    delete_needless(track_ids=seen)


def _json(rows: Iterable[dict[str, object]]) -> bytes:
    return json.dumps(list(rows), ensure_ascii=False, indent=2, default=str).encode()


def _track(track: Track) -> dict[str, object]:
    return {"title": track.title, "artists": track.artists, "source": track.source}


def _held(held: LibraryTrack) -> dict[str, object]:
    return {
        "spotify_id": held.track.spotify_id,
        "found_in": held.source,
        "range": held.range,
        "rank": held.rank,
        "added_at": held.added_at,
        "expires_at": held.expires_at,
    }


def _choice(choice: Choice) -> dict[str, object]:
    return {
        "story": choice.story_id,
        "saved_at": choice.created_at,
        "learned_from": choice.learns,
    }


def _suggestion(shown: Suggestion) -> dict[str, object]:
    return {
        "story": shown.story_id,
        "shown_at": shown.shown_at,
        "rank": shown.rank,
        "score": shown.score,
        "steering": shown.steering,
        "terms": shown.terms,
        "reasons": shown.reasons,
        "feedback": shown.feedback,
    }
