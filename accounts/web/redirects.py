"""Safe redirects to the page a person came from."""

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def next_page(request: HttpRequest, default: str) -> str:
    """Return the `next` parameter if it is an address on this site, else the default's address.

    A POST parameter wins over one in the query. `default` is anything that `resolve_url` takes.
    """
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else resolve_url(default)
