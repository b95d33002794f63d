"""Which Spotify application we are, against the real Spotify or against the sandbox."""

from django.conf import settings

SANDBOX_CREDENTIALS = ("storify-sandbox", "not-a-secret")

# Saving a track to the listener's library and making a private playlist; nothing else is asked for.
SCOPES = ["user-library-modify", "playlist-modify-private"]

# Seconds to connect and to wait for an answer, of every call to Spotify.
TIMEOUT = 8.0


def credentials() -> tuple[str, str]:
    """Client id and secret."""
    if settings.SPOTIFY_SANDBOX:
        return SANDBOX_CREDENTIALS
    return settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET


def authorize_url() -> str:
    return f"{settings.SPOTIFY_ACCOUNTS_URL}/authorize"


def token_url() -> str:
    return f"{settings.SPOTIFY_ACCOUNTS_URL}/api/token"


def api_url(path: str) -> str:
    return f"{settings.SPOTIFY_API_URL}/v1{path}"
