"""Read tables of each file format."""
