"""The range of release years that people can filter by."""

FIRST_YEAR, LAST_YEAR = 1900, 2100
