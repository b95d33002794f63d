"""Fifteen actions from a whole photo, by our own heads on DINOv2 features."""
