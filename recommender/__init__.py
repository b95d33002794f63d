"""Tracks, suggestions, choices and the ranking engine."""
