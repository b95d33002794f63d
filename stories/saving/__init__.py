"""Save a story's track to the owner's Spotify library or to one of their playlists."""
