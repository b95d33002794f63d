"""Benchmarks of a whole running site: speed and memory."""
