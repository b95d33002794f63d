"""What the sandbox's listeners have saved, made and played before Storify came."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from accounts.spotify.sandbox.listeners import LISTENERS, Listener
from accounts.spotify.sandbox.songs import NAMED, ODD, Song, generated, sandbox_id

# When they saved last; the songs before that lie seven hours apart.
LAST_SAVED = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
STEP = timedelta(hours=7)
N_TOP, N_PLAYED = 80, 70
EPISODE, LOCAL, GONE = "spotify:episode:", "spotify:local:", ""


@dataclass(frozen=True)
class FirstPlaylist:
    """A playlist as it was at the start; its items are URIs with dates."""

    id: str
    name: str
    description: str
    public: bool
    owner: str
    entries: tuple[tuple[str, str], ...]


@cache
def songs(listener: Listener) -> tuple[Song, ...]:
    """Their songs; the first named ones and the odd ones belong to whoever has 500."""
    own = generated()[listener.first_song : listener.first_song + listener.n_saved]
    extra = (*ODD, *NAMED) if listener.key == "ines" else ()
    return (*extra, *own)[: listener.n_saved]


def saved(listener: Listener) -> list[tuple[str, str]]:
    """URIs with when they were saved, newest first."""
    return _dated([song.uri for song in songs(listener)])


@cache
def heard(listener: Listener) -> tuple[Song, ...]:
    """What they play: songs that they haven't saved come first."""
    first = listener.first_song + listener.n_saved
    return (*generated()[first : first + listener.n_heard], *songs(listener))


def top(listener: Listener, span: str) -> list[Song]:
    """The songs they play most; each range has another order."""
    playable = [song for song in heard(listener) if song.playable]
    step = {"short_term": 7, "medium_term": 11, "long_term": 13}[span]
    return [playable[i * step % len(playable)] for i in range(min(N_TOP, len(playable)))]


def played(listener: Listener) -> list[tuple[Song, datetime]]:
    """What they played last, newest first; some songs twice."""
    mine = heard(listener)
    if not mine:
        return []
    start = LAST_SAVED + timedelta(days=5, milliseconds=123)
    return [
        (mine[i * 3 % min(40, len(mine))], start - i * timedelta(minutes=4))
        for i in range(N_PLAYED)
    ]


@cache
def playlists(listener: Listener) -> tuple[FirstPlaylist, ...]:
    """Two of their own, one of them public, and one of somebody else that they follow."""
    if not listener.n_saved or listener.is_trouble:
        return ()
    mine = [song.uri for song in songs(listener)]
    own = (
        _playlist(listener, "Long drives", mine[20:50]),
        _playlist(listener, "All sorts", [mine[0], EPISODE, LOCAL, GONE, *mine[5:12]], False),
    )
    other = LISTENERS["kofi" if listener.key != "kofi" else "ines"]
    followed = _playlist(other, "Long drives", [song.uri for song in songs(other)][20:50])
    return (*own, followed)


def _playlist(owner: Listener, name: str, uris: list[str], public: bool = True) -> FirstPlaylist:
    identifier = sandbox_id(f"playlist {owner.key} {name}")
    return FirstPlaylist(identifier, name, "", public, owner.key, tuple(_dated(uris)))


def _dated(uris: list[str]) -> list[tuple[str, str]]:
    return [(uri, timestamp(LAST_SAVED - i * STEP)) for i, uri in enumerate(uris)]


def timestamp(moment: datetime) -> str:
    """As Spotify writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
