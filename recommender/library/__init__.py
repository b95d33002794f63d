"""People's own music: private, expiring, and a teacher of nothing."""
