from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from recommender.models import Choice, Suggestion, Track
from tests.factories import make_track, make_user
from tests.recommender.library.factories import make_own_track

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def log(track: Track) -> tuple[Suggestion, Choice]:
    """Somebody was shown this track, and chose it."""
    person, story_id, now = make_user(), uuid4(), timezone.now()
    shown = Suggestion.objects.create(
        **{"batch": uuid4(), "user": person, "story_id": story_id, "track": track, "rank": 1},
        **{"score": 0.5, "terms": {}, "propensity": 0.5, "model_version": "v", "shown_at": now},
    )
    chosen = Choice.objects.create(
        user=person, story_id=story_id, track=track, source=track.source, created_at=now
    )
    return shown, chosen


def test_the_logs_show_staff_no_track_of_a_private_library(staff: Client) -> None:
    shared, private = (
        make_track(title="Sea Shanty"),
        make_own_track(make_user(), title="Zyzzyva"),
    )
    log(shared)
    for name, row in zip(("suggestion", "choice"), log(private), strict=True):
        address = f"/admin/recommender/{name}/"
        page = staff.get(address).content.decode()
        assert "Sea Shanty" in page
        assert "Zyzzyva" not in page
        opened = staff.get(f"{address}{row.pk}/change/", follow=True).content.decode()
        assert "Zyzzyva" not in opened
