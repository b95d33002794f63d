"""Looks at a photo and a caption: faces, emotion, action, caption, mood. Imports nothing."""
