"""Read a person's own music from files: Spotify's data export, and tables of playlists."""
