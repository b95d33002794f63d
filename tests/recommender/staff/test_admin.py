from uuid import uuid4

import pytest
from django.db.models.expressions import RawSQL
from django.test import Client
from django.utils import timezone

from recommender.models import Choice, Suggestion, Track
from recommender.ranking.trending import RELEASED
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


def change(track: Track, **fields: str) -> dict[str, str]:
    """The form of the page that changes this track."""
    return {"title": track.title, "artists": "Ada", "release_date": "", **fields}


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        *(("2004", "2004"), ("2004-07", "2004-07"), ("2004-07-05", "2004-07-05"), ("", "")),
        *(("2004-7-5", "1999"), ("July 2004", "1999"), ("२००४", "1999"), ("2004-", "1999")),
    ],
)
def test_a_release_date_in_another_form_is_refused(
    staff: Client, written: str, stored: str
) -> None:
    track = make_track(release_date="1999")
    page = f"/admin/recommender/track/{track.pk}/change/"
    answer = staff.post(page, change(track, release_date=written))
    assert answer.status_code == (302 if stored == written else 200)
    track.refresh_from_db()
    assert track.release_date == stored


def test_a_release_date_in_another_form_costs_nobody_their_music() -> None:
    for written in ("2004-07-05", "2004-7-5", "2004-ab-cd"):
        make_track(title=written, release_date=written)
    released = dict(Track.objects.values_list("title", RawSQL(RELEASED, ())))
    start = (2004 - 1970) * 365.25 + 6 * 30.4
    assert released == {
        "2004-07-05": pytest.approx(start + 5),
        "2004-7-5": pytest.approx(start + 15),
        "2004-ab-cd": pytest.approx(start + 15),
    }
