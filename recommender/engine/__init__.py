"""The numbers of the recommender: no Django, no database, no clock, no hidden randomness."""
