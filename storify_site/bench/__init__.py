"""Benchmarks of a running site: speed and memory."""
