"""The demo people and stories of a local site, and their absence on a public one."""

import io
import json
from collections import Counter

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from recommender.models import Track
from stories.models import Analysis, ReviewItem, Story, TagEvent
from stories.review.export.dataset import split_of
from stories.review.selectors import may_review
from stories.review.services import next_item, save_review
from storify_site.demo.pictures import Scene, draw
from storify_site.management.commands import load_demo_data

TEST_ALBUM = "test-album@storify.test"
SHIPPED = dict(load_demo_data.ALBUMS)
pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the demo catalogue, which is tested elsewhere, and make only a few stories."""
    command = "storify_site.management.commands.load_demo_data"
    monkeypatch.setattr(f"{command}.call_command", lambda *_args, **_options: None)
    few = {"album@storify.test": ("train", range(14)), TEST_ALBUM: ("test", range(30, 32))}
    monkeypatch.setattr(f"{command}.ALBUMS", few)


def test_demo_people_can_sign_in_and_have_agreed_to_faces(
    settings: LazySettings, catalogue: None
) -> None:
    settings.DEBUG = True
    for _ in range(2):
        call_command("load_demo_data", verbosity=0)
    people = {person.email: person for person in User.objects.all()}
    albums = [people.pop("album@storify.test"), people.pop(TEST_ALBUM)]
    assert not any(album.has_usable_password() for album in albums)
    assert [split_of(album.pk) for album in albums] == ["train", "test"]
    assert people.keys() == {"demo@storify.test", "staff@storify.test"}
    assert all(person.improve_consent for person in people.values())
    assert people["staff@storify.test"].is_staff
    assert not people["demo@storify.test"].is_staff
    assert all(person.faces_consent and person.faces_consent_at for person in people.values())
    answer = APIClient().post(
        "/api/v1/auth/token", {"email": "demo@storify.test", "password": "storify-demo"}
    )
    assert "token" in answer.json()


def test_json_has_the_counts_of_demo_tracks(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(load_demo_data, "ALBUMS", {})
    told = io.StringIO()
    call_command("load_demo_data", "--json", stdout=told)
    counts = json.loads(told.getvalue())
    assert counts == {"added": Track.objects.count(), "updated": 0, "unchanged": 0}


def test_demo_people_are_never_made_with_debug_off(settings: LazySettings, catalogue: None) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("load_demo_data", verbosity=0)
    assert not User.objects.exists()


def test_staff_can_review_demo_stories_at_once(
    settings: LazySettings, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG, settings.STORIES_REVIEW_AUDIT_SHARE = True, 0.05
    monkeypatch.setattr("storify_site.demo.stories.CORRECTED", 1.0)
    for _ in range(2):
        call_command("load_demo_data", verbosity=0)
    staff = User.objects.get(email="staff@storify.test")

    assert may_review(staff)
    assert Story.objects.count() == 16
    assert Counter(ReviewItem.objects.values_list("reason", flat=True)).keys() >= {
        "audit",
        "uncertain",
        "disagreement",
        "overridden",
        "gold",
    }
    changed = TagEvent.objects.filter(source=TagEvent.Source.OWNER)
    assert changed.count() == ReviewItem.objects.filter(reason="overridden").count()
    assert {tuple(one.versions.values()) for one in Analysis.objects.all()} == {("demo",) * 4}
    item = next_item(reviewer=staff)
    assert item
    assert save_review(item=item, reviewer=staff, answers={"action": "none"})


def test_who_said_no_to_reviews_is_not_asked_again(settings: LazySettings, catalogue: None) -> None:
    settings.DEBUG = True
    call_command("load_demo_data", verbosity=0)
    User.objects.update(improve_consent=False)

    call_command("load_demo_data", verbosity=0)

    assert not User.objects.filter(improve_consent=True).exists()


def test_a_drawn_face_lies_in_its_box() -> None:
    picture, boxes = draw(Scene("day", ("happy", "sad"), seed=3))
    plain, _ = draw(Scene("day", (), seed=3))
    for x, y, wide, high in boxes:
        middle = round((x + wide / 2) * 960), round((y + high / 2) * 720)
        assert picture.getpixel(middle) != plain.getpixel(middle)
    assert len(boxes) == 2


def test_photos_of_the_person_kept_for_testing_wait_in_the_audit(
    settings: LazySettings, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a candidate that is trained on demo reviews is compared on audited photos, too."""
    settings.DEBUG, settings.STORIES_REVIEW_AUDIT_SHARE = True, 0.05
    monkeypatch.setattr(load_demo_data, "ALBUMS", {TEST_ALBUM: SHIPPED[TEST_ALBUM]})
    call_command("load_demo_data", verbosity=0)

    audit = ReviewItem.objects.filter(reason="audit", story__user__email=TEST_ALBUM)
    assert sum(len(item.story.analysis.faces) for item in audit) >= 4
