"""The WSGI application; `python -m storify_site.serve` serves it."""

import os
import threading
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")


class Request(WSGIRequest):
    """A request in UTF-8; RequestValidationMiddleware refuses other charsets.

    Django would decode the query with the claimed charset before any middleware runs, and fail on
    charsets that aren't text encodings.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        parsed = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        self.content_type, self.content_params = parsed


application = get_wsgi_application()
application.request_class = Request

from stories.services.uploads import sandbox  # noqa: E402 - needs Django to be set up

# In the background, so that the first upload doesn't wait for it.
threading.Thread(target=sandbox.start, daemon=True).start()
