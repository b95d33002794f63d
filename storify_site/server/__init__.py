"""Web server: waitress with limits on slow clients and queueing time."""
