"""Commands that measure whether the site holds under attack, faults and load."""
