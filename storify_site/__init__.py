"""The site: settings, addresses, the task queue and everything a local start needs."""
