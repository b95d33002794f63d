"""The project's own small catalogue: recipes for tunes, and a synthesiser that plays them."""
