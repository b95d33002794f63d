"""Tracks, what was suggested and chosen, and the engine that ranks."""
