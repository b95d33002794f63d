"""Seven emotions from a caption in any language: a frozen sentence encoder and our own head."""
