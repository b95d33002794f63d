"""Models that are put in service in the place of shipped ones."""
