"""Candidates: the serving model with its last layers tuned on reviewed photos, and compared."""
