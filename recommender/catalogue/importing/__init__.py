"""Read catalogues from files: formats, column names and values."""
