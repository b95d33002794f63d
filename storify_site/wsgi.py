"""The WSGI application; `python -m storify_site.serve` serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")

application = get_wsgi_application()
