"""How far reading a person's own music has come, as the account page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings

from accounts.models import User
from accounts.selectors import spotify_account
from accounts.spotify import scopes
from accounts.spotify.scopes import Purpose
from recommender.catalogue import reccobeats
from recommender.library import selectors
from recommender.library.importing.jobs import latest_import
from recommender.library.sync import PLAYLISTS_LATER
from recommender.models import LibraryImport, LibrarySync

_WORDS = {
    "saved": "saved on Spotify",
    "top": "among your most played",
    "recent": "played lately",
    "playlist": "in your playlists",
    "import": "from your files",
    "recommended": "that go with them",
}
State = LibrarySync.State
# Seconds between two looks while something happens, and while it waits.
LOOK, LOOK_LATER = 2, 30


class MoodsAsked(NamedTuple):
    """Tracks whose mood ReccoBeats is still asked for, and why not now."""

    n: int
    paused_until: datetime | None = None
    is_limiting: bool = False


def progress_of(user: User) -> dict[str, Any]:
    """The context of `recommender/_own_music.html`."""
    account, sync = spotify_account(user), selectors.sync_of(user)
    sizes, file, moods = selectors.sizes_by_source(user), latest_import(user), moods_asked(user)
    look_seconds = LOOK if _is_read(file) else _look_seconds(sync)
    return {
        "sync": sync,
        "is_allowed": account is not None and scopes.has(account, Purpose.LIBRARY),
        "is_connected": account is not None,
        "size": selectors.library_size(user),
        "n_with_mood": selectors.n_with_mood(user),
        "sources": [(sizes[name], words) for name, words in _WORDS.items() if name in sizes],
        "expires_at": selectors.expiry_of(user),
        "file": file,
        "moods": moods,
        "look_seconds": look_seconds or (LOOK_LATER if moods.n else 0),
        "may_try_again": sync is not None and sync.error not in {"", PLAYLISTS_LATER},
        "more_saved": sync is not None and _n_saved(sync, sizes) > sync.saved_limit,
    }


def _n_saved(sync: LibrarySync, sizes: Mapping[str, int]) -> int:
    """How many saved tracks there are at Spotify; until a pass has noted it, maybe one more."""
    return int(sync.cursor.get("n_saved", sizes.get("saved", 0) + 1))


def moods_asked(user: User) -> MoodsAsked:
    """What has to wait for ReccoBeats, if anything does; else what is still to be asked."""
    if reccobeats.REAL.name not in settings.FEATURE_PROVIDERS:
        return MoodsAsked(0)
    counts = {
        service: selectors.n_to_ask(user, service.name, made_up=service.is_sandbox)
        for service in reccobeats.services()
    }
    for service, n in counts.items():
        if n and (state := service.circuit_breaker.open_state()):
            return MoodsAsked(n, state.until, is_limiting=state.reason == reccobeats.LIMITING)
    return MoodsAsked(sum(counts.values()))


def _is_read(file: LibraryImport | None) -> bool:
    return file is not None and file.state in {"queued", "reading"}


def _look_seconds(sync: LibrarySync | None) -> int:
    """How soon the page looks again; 0 for not at all."""
    if sync is None or sync.state in {State.DONE, State.FAILED}:
        return 0
    return LOOK_LATER if sync.state == State.WAITING else LOOK
