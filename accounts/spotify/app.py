"""Credentials and addresses of this Spotify application, real or sandboxed."""

from django.conf import settings

SANDBOX_CREDENTIALS = ("storify-sandbox", "not-a-secret")

# What every id of a track or playlist of the sandbox begins with.
SANDBOX_ID_PREFIX = "0Sandbox"

# Seconds to connect and to wait for each reply.
TIMEOUT = 8.0


def credentials() -> tuple[str, str]:
    """The client id and secret."""
    if settings.SPOTIFY_SANDBOX:
        return SANDBOX_CREDENTIALS
    return settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET


def authorize_url() -> str:
    return f"{settings.SPOTIFY_ACCOUNTS_URL}/authorize"


def token_url() -> str:
    return f"{settings.SPOTIFY_ACCOUNTS_URL}/api/token"


def api_url(path: str) -> str:
    return f"{settings.SPOTIFY_API_URL}/v1{path}"


def is_sandbox_id(identifier: str) -> bool:
    """Whether the sandbox made the track or playlist up, so that nobody else knows it."""
    return identifier.startswith(SANDBOX_ID_PREFIX)


def open_url(kind: str, identifier: str) -> str:
    """Where people see a track or playlist: at Spotify, or at the sandbox if that made it up."""
    return _open(f"{kind}/{identifier}", identifier)


def player_url(track_id: str) -> str:
    """The embedded player of a track."""
    return _open(f"embed/track/{track_id}", track_id)


def _open(path: str, identifier: str) -> str:
    made_up = settings.SPOTIFY_SANDBOX and is_sandbox_id(identifier)
    return f"/sandbox/open/{path}" if made_up else f"https://open.spotify.com/{path}"
