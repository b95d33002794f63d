"""The page of models: who reaches it, what it shows, what its buttons do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from stories.models import ModelEvent, ModelVersion, ShadowDifference
from stories.registry import urls
from stories.registry.services import runs
from tests.factories import (
    make_model_version,
    make_pair,
    make_ready_story,
    make_reviewer,
    make_staff,
    make_user,
)
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db

PAGE = "/review/models/"
KNOWN = {"name": "emotion", "version_id": uuid4()}
ADDRESSES = [
    reverse(f"registry:{one.name}", kwargs={key: KNOWN[key] for key in one.pattern.converters})
    for one in urls.urlpatterns
]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("stories.promote_models"))
    return client


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("who", ["stranger", "person", "staff", "reviewer"])
def test_nobody_without_the_permission_reaches_any_of_it(
    client: Client, address: str, who: str
) -> None:
    makers: dict[str, Any] = {"person": make_user, "staff": make_staff, "reviewer": make_reviewer}
    if who in makers:
        client.force_login(makers[who]())
    method = client.get if address == PAGE else client.post
    response = method(address)
    assert response.status_code == (302 if who == "stranger" else 403)
    if who == "stranger":
        assert response["Location"].startswith("/accounts/sign-in/")


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one != PAGE])
def test_what_changes_something_is_never_a_link(staff: Client, address: str) -> None:
    assert staff.get(address).status_code == 405


def test_review_administrators_reach_it(client: Client) -> None:
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name="Review administrators"))
    client.force_login(user)
    assert client.get(PAGE).status_code == 200
    assert client.get("/review/").status_code == 200


def test_the_page_shows_versions_with_their_comparison(staff: Client, tmp_path: Path) -> None:
    assert "No candidate has been trained yet" in staff.get(PAGE).content.decode()
    make_model_version(tmp_path, comparison={"public": make_pair(-0.05), "audit": None})

    page = staff.get(PAGE).content.decode()

    assert "72.0%" in page
    assert "+2.0 (-5.0 to +4.0)" in page
    assert "Not measured" in page
    assert "may be worse by 5.0 percentage points; at most 2.0 are allowed" in page
    assert "Why it should serve nevertheless" in page
    assert "Registered as a candidate" in page


def test_a_training_is_shown_with_its_progress_and_can_be_cancelled(
    staff: Client, broker: FakeQueue
) -> None:
    staff.post(f"{PAGE}train/emotion/")
    assert "waiting for a worker" in staff.get(PAGE).content.decode()
    since = datetime.fromisoformat(broker.trainings[0][2])
    runs.note_progress("emotion", since, "2026-11-29 00:37:45,602 epoch 1: loss 0.6")
    page = staff.get(PAGE).content.decode()
    assert "epoch 1: loss 0.6" in page
    assert 'id="cancel-emotion">Cancel' in page
    polled = staff.get(PAGE, headers={"hx-request": "true"}).text
    assert "epoch 1: loss 0.6" in polled
    assert "Cancel" not in polled
    assert f'action="{PAGE}train/emotion/"' not in page
    assert f'action="{PAGE}train/action/"' in page
    again = staff.post(f"{PAGE}train/emotion/", follow=True).content.decode()
    assert "being trained already" in again

    cancelled = staff.post(f"{PAGE}train/emotion/cancel/", follow=True).content.decode()
    assert "If the training has begun, it ends within seconds" in cancelled
    assert runs.cancelled_by("emotion", since)
    runs.end_run("emotion", since)
    assert "The training has ended" in staff.get(PAGE, headers={"hx-request": "true"}).text
    assert "The training has ended" not in staff.get(PAGE).text


def test_the_buttons_promote_and_take_back(staff: Client, tmp_path: Path) -> None:
    version = make_model_version(tmp_path)

    page = staff.post(f"{PAGE}{version.pk}/promote/", follow=True).content.decode()
    assert "Workers switch to it before their next photo" in page
    assert "Take back: serve" in page
    version.refresh_from_db()
    assert version.status == "serving"

    assert f'action="{PAGE}{version.pk}/take-back/"' in page
    staff.post(f"{PAGE}{version.pk}/take-back/")
    version.refresh_from_db()
    assert version.status == "retired"
    again = staff.post(f"{PAGE}{version.pk}/take-back/", follow=True).content.decode()
    assert f"{version} is retired" in again


def test_a_model_that_may_be_worse_is_promoted_only_with_a_reason(
    staff: Client, tmp_path: Path
) -> None:
    version = make_model_version(tmp_path, comparison={})

    page = staff.post(f"{PAGE}{version.pk}/promote/", follow=True).content.decode()
    assert "type the reason" in page
    assert not ModelVersion.objects.filter(status="serving").exists()

    answer = staff.post(f"{PAGE}{version.pk}/promote/", {"reason": "A first try"}, follow=True)
    assert "although it may be worse: “A first try”" in answer.content.decode()


def test_the_buttons_start_and_end_shadow_mode(staff: Client, tmp_path: Path) -> None:
    version = make_model_version(tmp_path)
    staff.post(f"{PAGE}{version.pk}/shadow/")
    version.refresh_from_db()
    assert version.status == "shadow"
    version.shadow_photos = 1234
    version.save()
    ShadowDifference.objects.create(
        version=version, story=make_ready_story(), serving="happy", shadow="sad"
    )

    page = staff.get(PAGE).content.decode()
    assert "1,234 photos" in page
    assert "happy → sad: 1" in page

    staff.post(f"{PAGE}{version.pk}/stop-shadow/")
    version.refresh_from_db()
    assert version.status == "candidate"


def test_the_button_queues_a_training(staff: Client, broker: FakeQueue) -> None:
    page = staff.post(f"{PAGE}train/emotion/", follow=True).content.decode()

    assert "Training is queued" in page
    (training,) = broker.trainings
    assert training[0] == "emotion"
    assert ModelEvent.objects.get().action == "queued"


def test_a_training_that_cannot_be_queued_says_why(staff: Client, broker: FakeQueue) -> None:
    caption = staff.post(f"{PAGE}train/caption/", follow=True).content.decode()
    broker.down = True
    emotion = staff.post(f"{PAGE}train/emotion/", follow=True).content.decode()

    assert "can’t be trained from reviews" in caption.replace("&#x27;", "’")
    assert "The queue isn" in emotion
    assert broker.trainings == []
