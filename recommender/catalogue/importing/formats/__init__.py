"""Reads tables of each file format."""
