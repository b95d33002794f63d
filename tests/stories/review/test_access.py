"""Nobody without the permission reaches any review page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.models import User
from stories.review import urls
from tests.factories import make_review_item, make_reviewer, make_staff, make_user

pytestmark = pytest.mark.django_db

NAMES = [pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)]
VALUES = {"reason": "audit", "story_id": None, "item_id": None}


def address(name: str) -> str:
    """The address of a review page, with the values of an item that is there."""
    item = make_review_item()
    (pattern,) = [one for one in urls.urlpatterns if one.name == name]
    known = {**VALUES, "item_id": item.pk, "story_id": item.story_id}
    parameters = pattern.pattern.converters
    return reverse(f"review:{name}", kwargs={one: known[one] for one in parameters})


def test_every_page_of_reviews_is_walked() -> None:
    assert {"queues", "photo", "thumbnail"} <= set(NAMES)
    assert len(NAMES) == len(urls.urlpatterns)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_are_sent_to_sign_in(client: Client, name: str, method: str) -> None:
    response = getattr(client, method)(address(name))
    if response.status_code != 405:
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/sign-in/")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["person", "staff", "group without staff"])
def test_without_the_permission_every_page_is_refused(
    client: Client, name: str, method: str, who: str
) -> None:
    user = make_staff("stories.view_photo", "stories.view_story") if who == "staff" else make_user()
    if who.startswith("group"):
        user.groups.add(Group.objects.get(name="Tag reviewers"))
    client.force_login(user)
    assert getattr(client, method)(address(name)).status_code in {403, 405}
    statuses = {getattr(client, one)(address(name)).status_code for one in ("get", "post")}
    assert 403 in statuses


@pytest.mark.parametrize("name", NAMES)
def test_reviewers_reach_every_page(client: Client, name: str) -> None:
    client.force_login(make_reviewer())
    place = "/review/" if name != "video" else None
    for response in (getattr(client, one)(address(name)) for one in ("get", "post")):
        assert response.status_code in ({200, 302, 405} if place else {404, 405})
        assert response.get("Location", "/review/").startswith("/review/")


def in_group(user: User) -> User:
    user.groups.add(Group.objects.get(name="Tag reviewers"))
    return user


def test_the_group_and_superusers_may_review_and_find_the_link(client: Client) -> None:
    for user in (in_group(make_user(is_staff=True)), make_user(is_staff=True, is_superuser=True)):
        client.force_login(user)
        page = client.get("/accounts/").content.decode()
        assert 'href="/review/"' in page
        assert client.get("/review/").status_code == 200


@pytest.mark.parametrize("staff", [False, True])
def test_nobody_else_sees_the_link(client: Client, staff: bool) -> None:
    client.force_login(make_staff("stories.view_photo") if staff else make_user())
    assert 'href="/review/"' not in client.get("/accounts/").content.decode()


def test_the_queues_say_why_and_how_many_wait_but_not_which_are_blind(client: Client) -> None:
    make_review_item(), make_review_item()
    make_review_item(reason="gold", expected={"action": "running"})
    client.force_login(make_reviewer())

    page = client.get("/review/").content.decode()

    assert "Drawn at random" in page
    assert "2 waiting" in page
    assert "known answer" not in page.lower()
    assert "second opinion" not in page.lower()


def test_the_permission_to_review_opens_no_other_photo(client: Client) -> None:
    item = make_review_item()
    client.force_login(make_reviewer())
    assert client.get(f"/stories/{item.story_id}/photo.jpg").status_code == 404
