"""Measuring rankers on what people put together, away from any running site."""
