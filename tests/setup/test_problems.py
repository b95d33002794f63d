"""API errors as problem details, and messages during outages."""

import errno

import pytest
import redis
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from rest_framework import exceptions

from accounts.web import problem_details
from storify_site.outages import OutageMiddleware


def test_unknown_api_address_is_a_problem(client: Client) -> None:
    response = client.get("/api/v1/nothing-here/")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Not Found"


def test_validation_error_names_the_fields() -> None:
    response = problem_details.exception_handler(
        exceptions.ValidationError({"photo": ["Too big."]}), {}
    )

    assert response is not None
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert response.data["errors"] == {"photo": ["Too big."]}


def test_throttled_says_when_to_try_again() -> None:
    response = problem_details.exception_handler(exceptions.Throttled(wait=12.3), {})

    assert response is not None
    assert response.status_code == 429
    assert response.data["detail"] == "You've sent too many requests. Try again in 13 s."
    assert response.data["retry_after"] == 13
    assert response["Retry-After"] == "13"


def test_programming_error_is_not_dressed_up() -> None:
    assert problem_details.exception_handler(ValueError("a bug"), {}) is None


def outage(path: str, error: Exception) -> HttpResponse | None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return OutageMiddleware(view).process_exception(RequestFactory().get(path), error)


def test_outage_on_a_page_is_answered_in_words() -> None:
    response = outage("/stories/new/", redis.ConnectionError("secret detail"))

    assert response is not None
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert b"try again in a minute" in response.content
    assert b"secret detail" not in response.content


def test_outage_in_the_api_is_a_problem() -> None:
    response = outage("/api/v1/stories/", redis.TimeoutError())

    assert response is not None
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), redis.exceptions.OutOfMemoryError()],
)
def test_a_full_disk_or_redis_is_an_outage(error: Exception) -> None:
    response = outage("/api/v1/stories/", error)

    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (503, "60")


@pytest.mark.parametrize("error", [ValueError("a bug"), FileNotFoundError(errno.ENOENT, "gone")])
def test_other_errors_pass_the_outage_middleware(error: Exception) -> None:
    assert outage("/", error) is None
