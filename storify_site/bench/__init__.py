"""Measuring a whole running site: how fast, how heavy."""
