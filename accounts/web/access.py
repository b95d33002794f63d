"""Who may open a page: decorators for signed-in people and for staff."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from accounts.models import User

P = ParamSpec("P")
PageView = Callable[Concatenate["PageRequest", P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class PageRequest(HttpRequest):
    """A request from somebody who is signed in."""

    htmx: HtmxDetails
    user: User


def signed_in(view: PageView[P]) -> View[P]:
    """Redirect everybody else to the sign-in page.

    An htmx request is redirected as a whole page, so that the sign-in form isn't swapped into a
    part of the current one.
    """

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        page_request = cast(PageRequest, request)
        if request.user.is_authenticated:
            return view(page_request, *args, **kwargs)
        if page_request.htmx:
            page = page_request.htmx.current_url_abs_path or "/"
            return HttpResponseClientRedirect(redirect_to_login(page).url)
        return redirect_to_login(_page_of(request))

    return checked


def _page_of(request: HttpRequest) -> str:
    """The page that somebody opens, or whose form they sent: where it goes may take only that."""
    if request.method != "POST":
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        page, {request.get_host()}, require_https=request.is_secure()
    )
    return page if is_ours else "/"


def staff_only(view: PageView[P]) -> View[P]:
    """Answer 403 to signed-in people who aren't staff; redirect everybody else to sign-in."""

    @signed_in
    @wraps(view)
    def checked(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked
