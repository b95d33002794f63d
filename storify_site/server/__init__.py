"""The web server: waitress with limits on slow clients and on waiting."""
