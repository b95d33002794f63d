"""Reading catalogues as people have them: files, column names, values."""
