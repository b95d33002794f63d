"""The recommender's algorithms in plain numpy: no Django, database, clock or hidden randomness."""
