"""The survey: one response per person, changeable, counted anonymously."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ml.intensity import levels
from ml.labels import ACTIONS
from stories.models import MUSIC, SurveyAnswer
from stories.personal_data import export_stories
from stories.survey import selectors, services
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SURVEY, RESULTS = "/survey/", "/survey/results/"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_survey_asks_for_every_action_and_for_music(browser: Client) -> None:
    page = browser.get(SURVEY).content.decode()
    assert page.count("<fieldset") == len(ACTIONS) + 1
    assert "How important is music to your stories?" in page


def test_answers_are_kept_once_and_can_be_changed(browser: Client, user: User) -> None:
    first = browser.post(SURVEY, {"running": "high", "sitting": "medium", MUSIC: "very"})
    assert first.headers["Location"] == reverse("stories:survey_results")
    browser.post(SURVEY, {"running": "medium", MUSIC: "very"})
    assert selectors.answers_of(user) == {"running": "medium", MUSIC: "very"}
    assert SurveyAnswer.objects.count() == 2
    assert 'value="medium" id="id_running_1" checked' in browser.get(SURVEY).content.decode()


def test_answer_that_is_none_of_those_shown_is_refused_and_nothing_changes(
    browser: Client, user: User
) -> None:
    services.save_answers(user=user, answers={"running": "high"})
    page = browser.post(SURVEY, {"running": "extreme"})
    assert page.status_code == 422
    assert "Please choose one of the answers shown." in page.content.decode()
    assert selectors.answers_of(user) == {"running": "high"}


def test_results_are_for_those_who_answered(browser: Client, user: User) -> None:
    assert browser.get(RESULTS).headers["Location"] == SURVEY
    browser.post(SURVEY, {"running": "high"})
    page = browser.get(RESULTS)
    assert page.status_code == 200
    assert "1 person has answered" in page.content.decode()


def test_staff_see_results_without_answering() -> None:
    client = Client()
    client.force_login(make_user(is_staff=True))
    assert client.get(RESULTS).status_code == 200


def test_survey_needs_a_signed_in_person(client: Client) -> None:
    assert client.get(SURVEY).status_code == 302
    assert client.get(RESULTS).status_code == 302


def test_every_answer_moves_what_an_action_counts_for(user: User) -> None:
    before = selectors.action_levels()["sleeping"]
    for _ in range(3):
        services.save_answers(user=make_user(), answers={"sleeping": "high"})
    after = levels({"sleeping": {"high": 3}})["sleeping"]
    assert before["high"] < after["high"]
    assert selectors.counts() == {"sleeping": {"high": 3}}


def test_without_the_cache_answers_are_saved_and_counted(
    user: User, no_cache: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.save_answers(user=user, answers={"sleeping": "high"})
    assert selectors.action_levels() == levels({"sleeping": {"high": 1}})


def test_answers_go_with_the_account_and_are_in_the_export(user: User) -> None:
    services.save_answers(user=user, answers={"dancing": "high"})
    exported = dict(export_stories(user))["survey.json"]
    assert isinstance(exported, bytes)
    assert b'"dancing": "high"' in exported
    user.delete()
    assert not SurveyAnswer.objects.exists()
