import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from accounts.web.access import PageRequest, signed_in, staff_only


def request_of(user: User | AnonymousUser, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/page/?a=1", headers=headers)
    request.user = user
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    return request


@signed_in
def page(request: PageRequest) -> HttpResponse:
    return HttpResponse("page")


@staff_only
def staff_page(request: PageRequest) -> HttpResponse:
    return HttpResponse("page")


def test_a_page_opens_for_signed_in_people_only() -> None:
    assert page(request_of(User())).status_code == 200
    assert page(request_of(AnonymousUser()))["Location"] == "/accounts/sign-in/?next=/page/%3Fa%3D1"


def test_htmx_leaves_the_page_to_sign_in() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/stories/"}

    response = page(request_of(AnonymousUser(), **headers))

    assert response["HX-Redirect"] == "/accounts/sign-in/?next=/stories/"


@pytest.mark.parametrize(
    ("sent_from", "goal"),
    [
        ("http://testserver/stories/", "http%3A//testserver/stories/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ],
)
def test_a_form_leads_back_to_its_page_after_signing_in(sent_from: str, goal: str) -> None:
    request = request_of(AnonymousUser(), referer=sent_from)
    request.method = "POST"
    assert page(request)["Location"] == f"/accounts/sign-in/?next={goal}"


def test_a_staff_page_opens_for_staff_only() -> None:
    assert staff_page(request_of(User(is_staff=True))).status_code == 200
    assert staff_page(request_of(AnonymousUser())).status_code == 302
    with pytest.raises(PermissionDenied):
        staff_page(request_of(User()))
