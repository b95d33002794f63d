"""Credentials and addresses of this Spotify application, real or sandboxed."""

from django.conf import settings

SANDBOX_CREDENTIALS = ("storify-sandbox", "not-a-secret")

# To save a track to the listener's library and to create a private playlist.
SCOPES = ["user-library-modify", "playlist-modify-private"]

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
