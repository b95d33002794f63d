"""What pages may load, and from where."""


def content_security_policy(*, sandbox: bool) -> dict[str, dict[str, list[str]]]:
    """The policy. Spotify's player is the only thing that pages load from elsewhere, on a click."""
    return {
        "DIRECTIVES": {
            "default-src": ["'none'"],
            "script-src": ["'self'"],
            "style-src": ["'self'"],
            "img-src": ["'self'", "data:", "blob:"],
            "media-src": ["'self'", "blob:"],  # preview of a video before it's uploaded
            "font-src": ["'self'"],
            "connect-src": ["'self'"],
            # The sandbox has a stand-in for Spotify's player.
            "frame-src": ["https://open.spotify.com", *(["'self'"] if sandbox else [])],
            "form-action": ["'self'", "https://accounts.spotify.com"],
            "base-uri": ["'none'"],
            "frame-ancestors": ["'none'"],
            "manifest-src": ["'self'"],
        }
    }
