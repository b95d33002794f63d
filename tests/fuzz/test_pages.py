"""Fuzz tests of all addresses, as every kind of visitor: never a server error."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.fuzz.addresses import Address, addresses
from tests.fuzz.conftest import Answer, Site, fuzzing
from tests.fuzz.requests import FORM, JSON, LONG_NUMBER, MULTIPART, Hostile, requests

BEFORE_TIME = f"0001-01-01T00:00:00+14:00~{'0' * 32}"
PREFERENCES = Address("/api/v1/preferences/")
STORY, STORIES = Address("/api/v1/stories/%(story_id)s/"), Address("/api/v1/stories/")
HISTORY, TOKEN = Address("/stories/"), Address("/api/v1/auth/token")
DOCS, USERS = Address("/api/docs/"), Address("/admin/accounts/user/")


def test_no_request_is_answered_with_an_error_of_the_server(site: Site) -> None:
    @fuzzing
    @given(requests(site.real))
    def attack(request: Hostile) -> None:
        check(request, site.send(request))

    attack()


def check(request: Hostile, answer: Answer) -> None:
    assert answer.status < 500, answer.error
    if request.address.template.startswith("/api/") and answer.status >= 400:
        assert answer.content_type == "application/problem+json", answer.content_type


def test_every_address_answers_everybody_who_asks_for_nothing_odd(site: Site) -> None:
    """The addresses that the fuzz tests use exist."""
    statuses = {
        (address.template, who): site.send(Hostile(address, who=who)).status
        for address in addresses()
        for who in ("nobody", "staff")
    }
    assert {status for status in statuses.values() if status >= 500} == set()
    assert sum(status == 200 for status in statuses.values()) > 50


def of_json(address: Address, body: bytes, **parts: object) -> Hostile:
    known = {"method": "PATCH", "who": "program", "content_type": JSON, **parts}
    return Hostile(address, body=body, **known)  # type: ignore[arg-type]


# Each was answered with 500 once.
KNOWN: list[tuple[int, Hostile]] = [
    (416, Hostile(Address("/stories/%(video_id)s/video"), who="person",
                  headers={"Range": f"bytes={LONG_NUMBER}-"})),
    (206, Hostile(Address("/stories/%(video_id)s/video"), who="person",
                  headers={"Range": f"bytes=0-{LONG_NUMBER}"})),
    (400, of_json(TOKEN, b"[" * 100_000, method="POST", who="nobody")),
    (400, of_json(PREFERENCES, b'{"a":' * 100_000)),
    (400, of_json(PREFERENCES, b'{"liked_genres": ["\\ud800"]}')),
    (400, of_json(PREFERENCES, b'{"\\ud800": 1}')),
    (404, Hostile(HISTORY, who="person", query=(("before", BEFORE_TIME),))),
    (404, Hostile(STORIES, who="program", query=(("cursor", "cD1hYmM="),))),  # p=abc
    (404, Hostile(STORIES, who="program", query=(("cursor", "cD0lMDA="),))),  # p=%00
    (405, Hostile(DOCS, method="OPTIONS")),
    (405, Hostile(Address("/api/schema/"), method="OPTIONS")),
    (400, Hostile(USERS, who="staff", query=(("is_staff__exact", "\x00"),))),
    (400, Hostile(USERS, who="staff", query=(("q\x00", "1"),))),
    (400, Hostile(USERS, method="POST", who="staff",
                  body=b"action=delete_selected&_selected_action=abc")),
    (400, Hostile(Address("/admin/stories/story/"), method="POST", who="staff",
                  body=b"action=try_again&_selected_action=abc")),
    (400, Hostile(Address("/nothing/"), method="POST", content_type="multipart/form-data")),
    (400, Hostile(Address("/nothing/"), method="POST", body=b"a=1&" * 2000)),
    (200, Hostile(Address("/api/schema/"), query=(("version", "\r\nX-Injected: 1"),))),
    (400, Hostile(Address("/oauth/complete/%(backend)s/"), query=(("error", "x"),))),
    (400, Hostile(HISTORY, headers={"Cookie": 'sessionid="\\000"'})),
    (400, Hostile(Address("/static/%(object_id)s"), path={"object_id": "\x00"})),
    (400, Hostile(STORIES, method="POST", who="program", content_type=MULTIPART,
                  headers={"Content-Length": "abc"})),
    (400, Hostile(STORIES, method="POST", who="program", content_type=MULTIPART,
                  headers={"Content-Length": LONG_NUMBER})),
    (415, Hostile(HISTORY, query=(("before", "x"),), content_type=f"{JSON}; charset=zlib")),
    (415, Hostile(HISTORY, method="POST", body=b"--edge--",
                  content_type=f"{MULTIPART}; charset=zlib")),
    (415, Hostile(HISTORY, method="POST", body=b"a=b", content_type=f"{FORM}; charset=utf-16")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "request_"), KNOWN, ids=[f"{n}-{known[0]}" for n, known in enumerate(KNOWN)]
)
def test_request_that_once_failed_is_refused(site: Site, status: int, request_: Hostile) -> None:
    answer = site.send(request_)
    check(request_, answer)
    assert answer.status == status


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (413, of_json(PREFERENCES, b" " * (2 * 1024 * 1024 + 1))),
        (414, Hostile(HISTORY, query=(("before", "x" * 9000),))),
        (400, of_json(PREFERENCES, b'{"year_from": 1e999}')),
        (400, of_json(PREFERENCES, b'{"year_from": 9223372036854775808}')),
        (400, of_json(STORY, b'{"mood": {"valence": NaN, "energy": 0.5}}')),
        (400, of_json(STORY, b'{"mood": {"valence": "nan", "energy": 0.5}}')),
        (400, of_json(PREFERENCES, b'{"genres": ["\\u0000"]}')),
        (415, of_json(PREFERENCES, b"x", content_type="text/plain")),
        (404, Hostile(Address("/accounts/tokens/%(pk)s/revoke/"), method="POST", who="person",
                      path={"pk": str(10**30)})),
        (400, Hostile(Address("/tracks/taste/likes/"), method="POST", who="person",
                      body=b"next=%00")),
        (406, Hostile(PREFERENCES, who="program", headers={"Accept": "image/png"})),
    ],
)  # fmt: skip
def test_request_that_nothing_can_serve_is_refused(
    site: Site, status: int, request_: Hostile
) -> None:
    answer = site.send(request_)
    check(request_, answer)
    assert answer.status == status
