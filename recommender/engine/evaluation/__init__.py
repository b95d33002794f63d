"""Offline evaluation of rankers on playlists."""
