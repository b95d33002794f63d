"""What reviews of tags need to know: words for moods, priorities, likely slips."""
