"""The site: settings, URLs, Celery, the web server, local services and benchmarks."""
