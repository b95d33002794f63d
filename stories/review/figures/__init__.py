"""The figures that follow from reviews, as a page and as CSV."""
