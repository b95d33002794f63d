"""Conversion of decoded video frames to what a player should show."""
