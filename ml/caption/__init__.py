"""Seven emotions and a mood from a caption in many languages."""
