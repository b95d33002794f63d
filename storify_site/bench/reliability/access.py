"""`access`: every address and method as seven kinds of visitor, against one table.

The table (`access_table.py`) is the specification: who gets in, who is sent to sign in, and who is
refused. Requests go through the whole application on a database of their own; what one changes is
taken back before the next.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from accounts.models import User
from accounts.services import issue_api_token, revoke_api_token
from accounts.spotify.scopes import Purpose
from stories.models import Reason, ReviewItem, Story
from stories.review.services.items import add_items, new_item
from storify_site.bench.reliability.access_table import (
    IN,
    KINDS,
    LOGIN,
    OPEN,
    REFUSED,
    VISITORS,
    kind_of,
)
from storify_site.demo.stories import add_demo_stories

METHODS = ("get", "post", "put", "patch", "delete")
DENIED = {401: "401", 403: "403", 404: "404"}
# The admin leads there from what isn't there, and after signing out.
START = "/admin/"
# Some of what is open to all leads to the sign-in page, or to something that isn't there.
ACCEPTED = {OPEN: (IN, LOGIN, "404", START), REFUSED: (REFUSED, START)}
NOBODY = UUID(int=7)

# Those who are signed in have a session, the others at most a token.
Visitor = tuple[dict[str, str], dict[str, str]]
Visitors = dict[str, Visitor]


def measure_access(wanted: Callable[[str], bool] = lambda _: True) -> dict[str, Any]:
    """Walk every wanted address; return what doesn't agree with the table, and how much was walked.

    The logs are silent meanwhile: nearly every request is refused.
    """
    logging.disable(logging.CRITICAL)
    try:
        return _measure(wanted)
    finally:
        logging.disable(logging.NOTSET)


def _measure(wanted: Callable[[str], bool]) -> dict[str, Any]:
    with transaction.atomic():
        visitors, known = _people()
        wrong, n = [], 0
        found = [one for one in routes(get_resolver().url_patterns) if wanted(one[0])]
        for name, pattern in found:
            for line in _walk(name, address(name, pattern, known), visitors):
                n += 1
                wrong += [line] if line else []
        transaction.set_rollback(True)
    return {"addresses": len(found), "requests": n, "wrong": wrong}


def routes(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named address. The Spotify sandbox, on local sites only, has accounts of its own."""
    for one in patterns:
        if isinstance(one, URLPattern):
            if one.name:
                yield before + str(one.name), one
        elif one.namespace != "sandbox":
            yield from routes(
                one.url_patterns, before + (f"{one.namespace}:" * bool(one.namespace))
            )


def address(name: str, pattern: URLPattern, known: dict[str, Any]) -> str:
    """The path with the owner's story and item, or with values that fit nothing."""
    unknown = {"UUIDConverter": NOBODY, "IntConverter": 0}
    values = {
        part: known.get(part, unknown.get(type(converter).__name__, "x"))
        for part, converter in pattern.pattern.converters.items()
    }
    try:
        return reverse(name, kwargs=values)
    except NoReverseMatch:  # a regular expression
        return reverse(name, args=["accounts"] * pattern.pattern.regex.groups)


def _walk(name: str, path: str, visitors: Visitors) -> Iterator[str]:
    """For each method and visitor: what is wrong, or nothing."""
    kind = kind_of(name)
    for method in METHODS:
        for number, (visitor, (cookies, headers)) in enumerate(visitors.items()):
            got = _visit(method, path, cookies, headers)
            wanted = KINDS[kind][number] if kind else "in the table"
            agrees = got in (*ACCEPTED.get(wanted, (wanted,)), "405")
            yield "" if agrees else f"{method.upper()} {name} as {visitor}: {got}, not {wanted}"


def _visit(method: str, path: str, cookies: dict[str, str], headers: dict[str, str]) -> str:
    client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
    client.cookies.load(cookies)
    before = transaction.savepoint()
    response = getattr(client, method)(path, headers=headers)
    transaction.savepoint_rollback(before)
    return _outcome(response.status_code, response.get("Location", ""))


def _outcome(status: int, location: str) -> str:
    if "/accounts/sign-in/" in location or location.startswith("/admin/login/"):
        return LOGIN
    if location == START:
        return START
    return DENIED.get(status) or (IN if status < 500 and status != 405 else str(status))


def _people() -> tuple[Visitors, dict[str, Any]]:
    owner, other = (
        User.objects.create_user(f"{name}@access.test", faces_consent=True, improve_consent=True)
        for name in ("owner", "other")
    )
    staff, reviewer = (
        User.objects.create_user(f"{name}@access.test", is_staff=True)
        for name in ("staff", "reviewer")
    )
    reviewer.user_permissions.add(Permission.objects.get(codename="review_tags"))
    add_demo_stories(user=owner, numbers=range(2))
    story = Story.objects.filter(user=owner).select_related("analysis")[0]
    add_items([new_item(story.analysis, Reason.UNCERTAIN, 1.0)])
    item = ReviewItem.objects.filter(story=story)[0]
    _, token = issue_api_token(user=owner, label="in use")
    row, revoked = issue_api_token(user=owner, label="revoked")
    revoke_api_token(token=row)
    people: list[Visitor] = [(_session(user), {}) for user in (owner, other, staff, reviewer)]
    tokens: list[Visitor] = [({}, {"Authorization": f"Token {one}"}) for one in (token, revoked)]
    known = {"story_id": story.pk, "item_id": item.pk, "purpose": Purpose.LIBRARY}
    strangers: list[Visitor] = [({}, {})]
    return dict(zip(VISITORS, strangers + people + tokens, strict=True)), known


def _session(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {name: cookie.value for name, cookie in client.cookies.items()}


def table(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of name, measured and goal."""
    return [
        ("addresses", f"{result['addresses']}", ""),
        (f"requests as {len(VISITORS)} kinds of visitor", f"{result['requests']}", ""),
        ("not as the table says", f"{len(result['wrong'])}", "0"),
        *((f"  {line}", "", "") for line in result["wrong"][:20]),
    ]
