"""A stand-in for accounts.spotify.com and api.spotify.com, for local use without credentials.

It answers like the real ones as they are in 2026, refusals included. Everything it knows is made
up, and everything it remembers is in the cache.
"""
