"""Stand-in for accounts.spotify.com and api.spotify.com, for local use without credentials.

It behaves like the real services in 2026, errors included. Its data is made up, and its state is in
the cache.
"""
