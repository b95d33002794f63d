"""The WSGI application; `python -m storify_site.serve` serves it."""

import os
import threading
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")


class Request(WSGIRequest):
    """A request in UTF-8. What claims another charset is refused by RequestValidationMiddleware;
    Django would decode the query with it, before any middleware, and fail on those that are no
    encodings of text.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        parsed = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        self.content_type, self.content_params = parsed


application = get_wsgi_application()
application.request_class = Request

from stories.services.uploads import sandbox  # noqa: E402 - only now is Django set up

# Beside everything else, so that the first upload need not wait for it.
threading.Thread(target=sandbox.start, daemon=True).start()
