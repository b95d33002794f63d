"""The entry point for gunicorn and any other WSGI server."""

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")

application = get_wsgi_application()

from stories.services.uploading import sandbox  # noqa: E402 - only now is Django set up

# Beside everything else, so that the first upload need not wait for it.
threading.Thread(target=sandbox.start, daemon=True).start()
