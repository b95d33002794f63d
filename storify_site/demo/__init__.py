"""Demo stories for the review queues of a local site: drawn pictures of nobody."""
