"""The page of figures and its CSV."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.test import Client

from ml.review.estimates import wilson
from stories import services as story_services
from stories.models import Reason, ReviewItem
from stories.review.figures.cases import QUESTIONS
from stories.review.figures.csv_file import neutral
from stories.review.figures.report import Report, report
from stories.review.figures.tables import Row, Table
from stories.review.services import accept_items
from tests.factories import (
    make_ready_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db

SAD = {"faces": {"0": "sad"}, "action": "running"}


def table(found: Report, key: str) -> Table:
    (one,) = [table for table in found.tables if table.key == key]
    return one


def only_row(found: Report, key: str) -> Row:
    (row,) = table(found, key).rows
    return row


def test_accuracy_is_that_of_the_audit_alone_with_its_interval() -> None:
    for answers in (None, None, SAD):
        make_review(answers=answers)
    for _ in range(4):
        make_review(make_review_item(reason=Reason.UNCERTAIN), answers=SAD)

    found = report(make_reviewer())

    row = only_row(found, "accuracy")
    assert row.cells == ("emotion test", 0)
    assert row.estimate
    assert row.estimate.n == 3
    edges = (row.estimate.share, row.estimate.low, row.estimate.high)
    assert edges == pytest.approx((2 / 3, *wilson(2 / 3, 3)))
    other = only_row(found, "queues")
    assert other.cells == ("Least certain", "emotion test")
    assert other.estimate
    assert (other.estimate.share, other.estimate.n) == (0, 4)


def test_each_version_has_its_own_figures() -> None:
    make_review(answers=SAD)
    story = make_ready_story(make_user(improve_consent=True))
    story.analysis.versions = {"emotion": "next"}
    story.analysis.save()
    make_review(make_review_item(story))

    found = report(make_reviewer())
    earlier = report(make_reviewer(), version="emotion test")

    shares = {row.cells[0]: row.estimate and row.estimate.share for row in found.tables[0].rows}
    assert shares == {"emotion next": 1.0, "emotion test": 0.0}
    assert (found.version, earlier.version) == ("emotion next", "emotion test")
    assert found.matrix
    assert found.matrix.n == 1


def test_what_names_no_class_and_what_was_undone_or_accepted_unseen_does_not_count() -> None:
    make_review(answers={"faces": {"0": "cannot_tell"}, "action": "running"})
    undone = make_review()
    undone.undone_at = undone.created_at
    undone.save()
    items = [make_review_item(reason=Reason.UNCERTAIN)]
    accept_items(reviewer=make_reviewer(), items=items)

    found = report(make_reviewer())

    assert (found.versions, found.matrix, found.bins, found.ece) == ([], None, [], None)
    assert table(found, "queues").rows == []


def test_a_withheld_tag_is_neither_right_nor_wrong() -> None:
    item = make_review_item()
    item.story.analysis.faces[0]["label"] = "uncertain"
    item.story.analysis.save()
    make_review(item)

    row = only_row(report(make_reviewer()), "accuracy")

    assert row == Row(("emotion test", 1), None)


def test_matrix_and_classes_count_the_audit() -> None:
    make_review()
    make_review(answers=SAD)

    found = report(make_reviewer())

    assert found.matrix
    rows = {name: [cell.count for cell in cells] for name, cells in found.matrix.rows}
    happy = found.matrix.columns.index("happy")
    assert (rows["happy"][happy], rows["sad"][happy], found.matrix.n) == (1, 1, 2)
    scores = {row.cells[0]: row.cells[1:] for row in table(found, "classes").rows}
    assert list(scores["Happy"]) == pytest.approx([0.5, 1.0, 2 / 3, 1])
    assert scores["Sad"] == (None, 0.0, 0.0, 1)


def test_a_second_opinion_counts_for_agreement_and_weighs_by_both_draws(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    one, other = make_reviewer(), make_reviewer()
    first = make_review(make_review_item(inclusion=0.1), reviewer=one)
    item = ReviewItem.objects.get(first=first)
    make_review(item, reviewer=other, answers=SAD)

    found = report(one)

    assert found.units == 1
    assert only_row(found, "kappa").cells == ("You", "Reviewer 2", 0.0, 1)
    assert found.alpha == pytest.approx(0)
    estimate = only_row(found, "queues").estimate
    assert estimate
    assert (estimate.share, estimate.n) == (0, 1)


def test_reviewers_are_measured_against_known_answers_and_others_stay_unnamed() -> None:
    gold = make_review_item(reason=Reason.GOLD, expected={"faces": {"0": "happy"}})
    one, other = make_reviewer(), make_reviewer()
    make_review(gold, reviewer=one)
    make_review(gold, reviewer=other, answers=SAD)

    found = report(one)

    shares = {
        row.cells[0]: row.estimate and row.estimate.share for row in table(found, "gold").rows
    }
    assert shares == {"You": 1.0, "Reviewer 2": 0.0}
    assert found.versions == []  # gold isn't a sample of photos
    named = report(make_reviewer(is_superuser=True))
    assert {row.cells[0] for row in table(named, "gold").rows} == {one.email, other.email}


def test_changes_by_owners_are_counted_once_per_story() -> None:
    story = make_ready_story()
    make_ready_story()
    for emotion in ("sad", "angry"):
        story_services.correct_story(story=story, user=story.user, emotion=emotion)

    changed = {row.cells[0]: row for row in table(report(make_reviewer()), "overrides").rows}

    row = changed["Emotion"]
    assert row.cells[1] == 1
    assert row.estimate
    assert (row.estimate.share, row.estimate.n) == (0.5, 2)


@pytest.mark.parametrize("reviews", [0, 2])
@pytest.mark.parametrize("about", [*(one.name for one in QUESTIONS), "unknown"])
def test_every_question_has_its_page_with_or_without_reviews(
    client: Client, about: str, reviews: int
) -> None:
    for _ in range(reviews):
        make_review(answers={**SAD, "quadrant": "calm_pleasant"})
    client.force_login(make_reviewer())

    response = client.get("/review/figures/", {"about": about, "version": "<no such>"})

    page = response.content.decode()
    assert response.status_code == 200
    assert "style=" not in page
    assert "no such" not in page
    assert ("Nothing to show yet" in page) or reviews
    assert ('class="figures__reliability"' in page) == (
        bool(reviews) and about not in ("caption", "quadrant")
    )


def test_the_csv_has_the_exact_numbers(client: Client) -> None:
    make_review()
    make_review(answers=SAD)
    client.force_login(make_reviewer())

    response = client.get("/review/figures/figures.csv")

    rows = list(csv.reader(response.content.decode().splitlines()))
    start = rows.index(["Accuracy"])
    assert rows[start + 1] == ["Model version", "Withheld", "Share", "Low", "High", "n"]
    assert rows[start + 2][:3] == ["emotion test", "0", "0.5"]
    assert rows[start + 2][-1] == "2"
    assert "attachment" in response["Content-Disposition"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_like_a_formula_is_neutralised(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"
    assert neutral(-0.5) == -0.5


def test_a_version_like_a_formula_is_neutralised_in_the_file(client: Client) -> None:
    client.force_login(make_reviewer(email="=cmd@storify.test", is_superuser=True))
    gold = make_review_item(reason=Reason.GOLD, expected={"faces": {"0": "happy"}})
    make_review(gold, reviewer=make_reviewer(email="+1@storify.test"))
    assert "\n'+1@storify.test,1.0" in client.get("/review/figures/figures.csv").content.decode()
