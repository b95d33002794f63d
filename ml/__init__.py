"""Analysis of a photo and its caption: faces, emotion, action, scene, mood. Imports nothing."""
