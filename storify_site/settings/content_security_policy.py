"""What pages may load, and from where."""

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", "https://i.scdn.co", "https://mosaic.scdn.co"],
        "media-src": ["'self'", "blob:"],  # preview of a video before it's uploaded
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["https://open.spotify.com"],
        "form-action": ["'self'", "https://accounts.spotify.com"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
