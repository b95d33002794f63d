"""Drift by week, failures and latency by stage, and the photos behind the confusion matrix."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ml.labels import ACTIONS
from stories.models import Analysis, Reason, Story
from stories.review.figures.cases import QUESTIONS
from stories.review.figures.drift import drift_by_week
from stories.review.figures.stages import stages
from tests.factories import (
    certain,
    make_ready_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db

FACES, ACTION = QUESTIONS[0], QUESTIONS[1]
SAD = {"faces": {"0": "sad"}, "action": "running"}


def add_analyses(user: User, weeks_ago: int, actions: dict[str, int]) -> None:
    """Analyses of that week in which the model named these actions so often."""
    when = timezone.now() - timedelta(weeks=weeks_ago)
    mood = {"mood_valence": 0.5, "mood_energy": 0.5, "mood_spread": [[0.1, 0], [0, 0.1]]}
    for name, count in actions.items():
        stories = Story.objects.bulk_create(Story(user=user, status="ready") for _ in range(count))
        seen = {"action": certain((name, "other"), name, 0.9), "action_label": name}
        Analysis.objects.bulk_create(
            Analysis(story=one, created_at=when, versions={"action": "test"}, **seen, **mood)
            for one in stories
        )


def test_a_week_that_moved_stands_out_against_the_weeks_before() -> None:
    user = make_user()
    add_analyses(user, 2, {"running": 20, "sleeping": 20})
    add_analyses(user, 1, {"running": 20, "sleeping": 20})
    add_analyses(user, 0, {"running": 36, "sleeping": 4})

    newest, before, first = (row.cells for row in drift_by_week(ACTION, "action test").rows)

    assert newest[1] == pytest.approx(0.8, abs=0.15)
    assert newest[2] == pytest.approx(1 / 40 + 1 / 80)
    assert newest[3] == pytest.approx(0)
    assert newest[-2:] == (40, 80)
    assert before[1] == pytest.approx(0)
    assert first[1:] == (None, None, None, None, 40, 0)


def test_drift_is_that_of_one_version_and_of_a_bounded_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = make_user()
    add_analyses(user, 0, {"running": 20})
    Analysis.objects.update(versions={"action": "old"})
    add_analyses(user, 0, {"running": 30})
    monkeypatch.setattr("stories.review.figures.drift.SAMPLE", 25)
    draws = Analysis.objects.filter(versions={"action": "test"})
    draws.update(audit_draw=0.4)
    Analysis.objects.filter(pk=draws[0].pk).update(audit_draw=0.6)

    (row,) = drift_by_week(ACTION, "action test").rows

    assert row.cells[-2] == 29


def test_stages_have_their_times_and_failures() -> None:
    for seconds in (1.0, 2.0, 3.0):
        make_ready_story()
        Analysis.objects.filter(stage_seconds={}).update(stage_seconds={"faces": seconds})
    user = make_user()
    Story.objects.create(user=user, status="failed", failed_stage="faces")
    Story.objects.create(user=user, status="failed")
    long_ago = timezone.now() - timedelta(days=40)
    Story.objects.create(user=user, status="failed", failed_stage="mood", created_at=long_ago)

    loading, faces = stages().rows

    assert loading.cells == ("Loading", None, None, 0)
    assert loading.estimate
    assert (loading.estimate.share, loading.estimate.n) == (1.0, 1)
    assert faces.cells == ("Faces", 2.0, 2.9, 3)
    assert faces.estimate
    assert (faces.estimate.share, faces.estimate.n) == (0.25, 4)


# --- photos behind the confusion matrix ---


def cell_page(client: Client, **asked: str) -> str:
    values = {"about": "faces", "version": "emotion test", "answer": "sad", "said": "happy"}
    return client.get("/review/figures/photos/", {**values, **asked}).content.decode()


def test_a_number_of_the_matrix_leads_to_its_photos(client: Client) -> None:
    review, other = make_review(answers=SAD), make_review()
    client.force_login(make_reviewer())

    matrix = client.get("/review/figures/").content.decode()
    page = cell_page(client)

    assert "?about=faces&amp;version=emotion%20test&amp;answer=sad&amp;said=happy" in matrix
    assert f"/review/{review.item_id}/thumbnail.jpg" in page
    assert str(other.item_id) not in page
    assert "counted\n  1 time." in page


def test_a_probability_stands_beside_the_class_that_it_is_of(client: Client) -> None:
    story = make_ready_story(make_user(improve_consent=True))
    story.analysis.action = certain(ACTIONS, "running", 0.6)
    story.analysis.action_label = None
    story.analysis.save()
    make_review(make_review_item(story))
    client.force_login(make_reviewer())

    page = cell_page(client, about="action", version="unknown", answer="running", said="none")

    assert "Likeliest: running,\n      60%" in page


@pytest.mark.parametrize("why", ["revoked", "gold"])
def test_photos_that_are_no_longer_shared_or_are_blind_checks_are_counted_but_not_shown(
    client: Client, why: str
) -> None:
    review = make_review(answers=SAD)
    if why == "revoked":
        User.objects.filter(pk=review.story.user_id).update(improve_consent=False)
    else:
        make_review_item(review.story, reason=Reason.GOLD, expected={"action": "running"})
    client.force_login(make_reviewer())

    page = cell_page(client)

    assert str(review.item_id) not in page
    assert "1 can’t be shown" in page


def test_a_cell_that_is_not_there_is_empty(client: Client) -> None:
    client.force_login(make_reviewer())
    assert "No photo to show" in cell_page(client, about="<x>", answer="<script>")


@pytest.mark.parametrize("table", ["accuracy", "matrix", "reliability", "drift", "stages", "kappa"])
def test_each_table_has_its_own_csv(client: Client, table: str) -> None:
    make_review()
    client.force_login(make_reviewer())

    response = client.get("/review/figures/figures.csv", {"table": table})

    rows = list(csv.reader(response.content.decode().splitlines()))
    assert rows.count([]) == 1
    assert f'"figures-faces-{table}.csv"' in response["Content-Disposition"]
    assert any("n" in row for row in rows)


def test_an_unknown_table_is_not_found(client: Client) -> None:
    client.force_login(make_reviewer())
    address = "/review/figures/figures.csv"
    assert client.get(address, {"table": "nothing"}).status_code == 404


def test_figures_read_a_bounded_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    make_review(answers=SAD), make_review()
    client.force_login(make_reviewer())
    with django_assert_max_num_queries(45):
        client.get("/review/figures/")
