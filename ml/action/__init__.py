"""Fifteen actions from a whole photo: frozen DINOv2 features and a head of our own."""
