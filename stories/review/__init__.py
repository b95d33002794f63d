"""Review of tagging quality by staff: queues, reviews, and what they show."""
