"""Reviews by keyboard, on a tablet, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from ml.labels import ACTIONS
from stories.models import Reason, Review, ReviewItem
from stories.registry.services import runs
from stories.review.selectors import completed_reviews
from tests.browser.signing_in import sign_in
from tests.factories import (
    certain,
    make_ready_story,
    make_review_item,
    make_reviewer,
    make_staff,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]


@pytest.fixture
def reviewer(settings: Any) -> User:
    settings.STORIES_REVIEW_BLIND_SHARE = settings.STORIES_REVIEW_SECOND_SHARE = 0
    return make_reviewer()


# The frames between the moment an item is put into the page and the first request after it.
COUNT_FRAMES = """() => {
    const send = window.fetch;
    let frames = 0;
    new MutationObserver(() => requestAnimationFrame(() => {
        frames = 1;
        requestAnimationFrame(() => { frames = 2; });
    })).observe(document.getElementById("review-stage"), { childList: true });
    window.fetch = (...all) => {
        window.framesBefore ??= frames;
        return send(...all);
    };
}"""


def fill(count: int, **fields: Any) -> list[ReviewItem]:
    """Items in the order of the queue, each with a different action."""
    owner = make_user(improve_consent=True)
    return [_item(owner, ACTIONS[n % len(ACTIONS)], 1 - n / 100, **fields) for n in range(count)]


def _item(owner: User, action: str, priority: float, **fields: Any) -> ReviewItem:
    story = make_ready_story(owner)
    story.analysis.action = certain(ACTIONS, action, 0.8)
    story.analysis.action_label = action
    story.analysis.save()
    return make_review_item(story, priority=priority, **fields)


def shown(page: Page, item: ReviewItem) -> None:
    expect(page.locator(f"#review-stage [data-item='{item.pk}']")).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def accuracy_of_actions(page: Page, site: str) -> tuple[str, str]:
    """What the page of figures says: the share with its interval, and n."""
    page.goto(f"{site}/review/figures/?about=action")
    cells = page.locator("section:has(#figures-accuracy) tbody tr td").all_inner_texts()
    return cells[2], cells[-1]


def wait_until_saved(page: Page, count: int) -> None:
    expect(page.locator("#review-progress strong").first).to_have_text(str(count))


def test_twenty_photos_are_reviewed_by_keyboard_and_one_is_undone(
    open_window: Window, client: Client, site: str, reviewer: User, screenshots: Any
) -> None:
    items = fill(21)
    page = open_window(viewport={"width": 1280, "height": 800})
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    for number, item in enumerate(items[:20]):
        shown(page, item)
        if number == 3:
            press(page, "6")  # the face is sad
        if number == 4:
            press(page, "s", "a", "ArrowDown")  # sitting, a face was missed, calm
        press(page, "Enter")
    shown(page, items[20])
    wait_until_saved(page, 20)
    page.screenshot(path=screenshots / "review.png", caret="initial")

    answers = {one.item_id: one.answers for one in completed_reviews()}
    assert [answers[item.pk]["action"] for item in items[:20]] == [
        "sitting" if number == 4 else ACTIONS[number % len(ACTIONS)] for number in range(20)
    ]
    assert {item.pk for item in items if answers.get(item.pk, {}).get("faces") == {"0": "sad"}} == {
        items[3].pk
    }
    assert answers[items[4].pk]["missed_face"]
    assert answers[items[4].pk]["quadrant"] == "calm_pleasant"
    assert all(one.seconds and one.seconds < 60 for one in completed_reviews())

    assert accuracy_of_actions(page, site) == ("95.0% (76.4% to 99.1%)", "20")
    page.goto("/review/next/")
    shown(page, items[20])

    press(page, "Backspace")
    shown(page, items[19])
    wait_until_saved(page, 19)
    undone = Review.objects.exclude(undone_at=None).get()
    assert undone.item == items[19]
    press(page, "x", "Enter")
    shown(page, items[20])
    wait_until_saved(page, 20)
    assert completed_reviews().filter(item=items[19]).get().answers["action"] == "none"
    assert completed_reviews().count() == 20
    assert accuracy_of_actions(page, site) == ("90.0% (69.9% to 97.2%)", "20")


def test_the_next_photo_is_painted_before_the_answer_is_sent(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    _, second = fill(2)
    page = open_window()
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    page.wait_for_load_state("networkidle")
    page.evaluate(COUNT_FRAMES)
    press(page, "Enter")
    shown(page, second)
    wait_until_saved(page, 1)
    assert page.evaluate("framesBefore") == 2


def test_keys_can_be_seen_and_switched_off_and_notes_are_only_text(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    first, second = fill(2)
    page = open_window()
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    press(page, "/")
    page.keyboard.type("texting? sad")
    press(page, "Escape", "Enter")
    shown(page, second)
    wait_until_saved(page, 1)
    review = Review.objects.get()
    assert (review.item, review.note, review.answers["action"]) == (
        first,
        "texting? sad",
        first.story.analysis.action_label,
    )

    press(page, "?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.get_by_label("Use single keys").uncheck()
    press(page, "Escape", "x")
    expect(page.get_by_role("heading", name="Keys")).to_be_hidden()
    expect(page.locator("[name=action]:checked")).to_have_value(ACTIONS[1])
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


def test_a_blind_check_is_not_saved_unanswered_and_its_tags_appear_afterwards(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    fill(1, reason=Reason.GOLD, expected={"action": "calling"})
    page = open_window()
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    press(page, "Enter")
    expect(page.locator("#messages")).to_contain_text("Please answer at least one question")
    press(page, "ArrowUp", "ArrowLeft", "4", "e", "Enter")
    expect(page.locator("#review-last")).to_contain_text("the model had said happy, calling")
    assert Review.objects.get().answers == {
        "faces": {"0": "happy"},
        "action": "eating",
        "quadrant": "energetic_unpleasant",
    }


def test_faces_are_answered_one_after_the_other(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    (item,) = fill(1)
    item.story.analysis.faces = item.story.analysis.faces * 3
    item.story.analysis.save()
    page = open_window()
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    press(page, "n", "9", "0", "n", "2", "Enter")
    wait_until_saved(page, 1)
    assert Review.objects.get().answers["faces"] == {
        "0": "disgust",
        "1": "wrong_box",
        "2": "cannot_tell",
    }


def test_an_answer_that_is_refused_is_told_and_one_that_is_not_sent_comes_back(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    first, second = fill(2)
    # Of its own, because Chromium complains in the console about every answer with an error.
    page = open_window().context.new_page()
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    shown(page, first)
    press(page, "x")
    first.story.delete()
    press(page, "Enter")
    expect(page.locator("#messages")).to_contain_text("This photo is no longer there")
    shown(page, second)
    assert not Review.objects.exists()

    page.context.set_offline(True)
    press(page, "s", "Enter")
    expect(page.locator("#messages")).to_contain_text("Can't reach Storify")
    expect(page.locator("[name=action]:checked")).to_have_value("sitting")
    page.context.set_offline(False)
    press(page, "Enter")
    wait_until_saved(page, 1)
    assert Review.objects.get().answers["action"] == "sitting"


def test_without_script_a_photo_is_reviewed_skipped_and_undone(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    first, second = fill(2)
    page = open_window(java_script_enabled=False)
    sign_in(page, client, reviewer, site)
    page.goto("/review/")
    page.get_by_role("link", name="Start reviewing").click()
    page.locator("[name=action][value=dancing]").check(force=True)
    page.get_by_role("button", name="Accept as shown").click()
    shown(page, second)
    assert Review.objects.get().answers["action"] == "dancing"
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    shown(page, second)
    page.get_by_role("button", name="Undo").click()
    shown(page, first)
    expect(page.locator("[name=action]:checked")).to_have_value("dancing")


def test_on_a_tablet_everything_is_large_enough_to_touch(
    open_window: Window, client: Client, site: str, reviewer: User
) -> None:
    _, second = fill(2)
    page = open_window(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)
    sign_in(page, client, reviewer, site)
    page.goto("/review/next/")
    small = page.locator("#review :is(.option, button, summary, textarea)").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect())"
        ".filter(box => box.height < 44 || box.width < 44).length"
    )
    assert small == 0
    page.locator(
        "form:not(.is-ahead) label", has=page.locator("[name=action][value=running]")
    ).tap()
    page.get_by_role("button", name="Save").tap()
    shown(page, second)
    wait_until_saved(page, 1)
    assert Review.objects.get().answers["action"] == "running"


def test_whoever_is_on_cancel_stays_there_until_the_training_ends(
    open_window: Window, client: Client, site: str
) -> None:
    page = open_window()
    sign_in(page, client, make_staff("stories.promote_models"), site)
    since = runs.start_waiting("emotion")
    assert since
    page.goto("/review/models/")
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    runs.note_progress("emotion", since)
    expect(page.get_by_text("starting")).to_be_visible()
    expect(cancel).to_be_focused()
    runs.end_run("emotion", since)
    expect(page.get_by_text("The training has ended.")).to_be_visible()
    expect(cancel).to_have_count(0)
