"""The demo catalogue: recipes of generated tracks and a synthesiser that renders them."""
