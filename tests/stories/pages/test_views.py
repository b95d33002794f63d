"""The pages: who may see what, what HTMX gets, and what works without any JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_api_token
from recommender.models import Suggestion, Track
from recommender.selectors import current_suggestions, get_choice
from recommender.services import suggest_tracks
from stories.models import Correction, Story
from stories.pages.pagination import PAGE
from stories.selectors import mood_of
from stories.workers import model_status
from tests.factories import (
    make_photo_bytes,
    make_ready_story,
    make_ready_video_story,
    make_staff,
    make_story,
    make_user,
)

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def me(client: Client) -> User:
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def ready(me: User, tracks: list[Track]) -> Story:
    story = make_ready_story(me, caption="Goats & grandma")
    mood = mood_of(story)
    assert mood
    suggest_tracks(user=me, story_id=story.pk, mood=mood)
    return story


def url(name: str, story: Story) -> str:
    return reverse(f"stories:{name}", args=[story.pk])


def upload(**changes: Any) -> dict[str, Any]:
    photo = SimpleUploadedFile("x.jpg", changes.pop("content", make_photo_bytes()))
    return {"photo": photo, "caption": "A day out", "once": str(uuid4()), **changes}


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


# --- Who may see what -----------------------------------------------------------------------------

PAGES = ["story", "progress", "delete", "photo", "thumbnail"]
ACTIONS = [
    "correct",
    "choose",
    "unchoose",
    "dismiss",
    "retry",
    "delete",
    "steer",
    "filter",
    "learning",
    "restore",
]


@pytest.mark.parametrize("name", PAGES)
def test_page_of_somebody_else_is_not_there(client: Client, me: User, name: str) -> None:
    assert client.get(url(name, make_ready_story())).status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_action_on_story_of_somebody_else_is_not_there(client: Client, me: User, name: str) -> None:
    theirs = make_ready_story()
    assert client.post(url(name, theirs), {"emotion": "sad"}).status_code == 404
    assert Story.objects.filter(pk=theirs.pk).exists()
    assert not Correction.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_page_without_sign_in_leads_to_it_and_back(client: Client, name: str) -> None:
    page = url(name, make_ready_story())
    response = client.get(page)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/sign-in/?next={page}")


def test_partial_without_sign_in_sends_the_whole_page_there(client: Client) -> None:
    story = make_ready_story()
    page = f"http://testserver{url('story', story)}"
    headers = {**HTMX, "HX-Current-URL": page}
    response = client.get(url("progress", story), headers=headers)
    assert response["HX-Redirect"] == f"/accounts/sign-in/?next={url('story', story)}"


@pytest.mark.parametrize("name", ACTIONS)
def test_action_by_get_changes_nothing(client: Client, ready: Story, name: str) -> None:
    expected = 200 if name == "delete" else 405
    assert client.get(url(name, ready)).status_code == expected
    assert Story.objects.filter(pk=ready.pk).exists()


@pytest.mark.parametrize("name", ["photo", "thumbnail"])
def test_photo_goes_to_its_owner_and_into_no_shared_cache(
    client: Client, ready: Story, name: str
) -> None:
    response = client.get(url(name, ready))
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"].startswith("private")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("inline")
    assert b"".join(response).startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["photo", "thumbnail", "video"])
def test_media_go_to_staff_only_with_the_permission(client: Client, name: str) -> None:
    page = url(name, make_ready_video_story())
    client.force_login(make_user(is_staff=True))
    assert client.get(page).status_code == 404
    client.force_login(make_staff(f"stories.view_{name.replace('thumbnail', 'photo')}"))
    assert client.get(page).status_code == 200


def test_media_stay_closed_to_a_token_of_staff_without_the_permission(client: Client) -> None:
    _, plain = issue_api_token(user=make_user(is_staff=True), label="phone")
    page = url("photo", make_story())
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 404


def test_permission_ends_with_being_staff(client: Client) -> None:
    reviewer = make_staff("stories.view_photo")
    reviewer.is_staff = False
    reviewer.save()
    client.force_login(reviewer)
    assert client.get(url("photo", make_story())).status_code == 404


def test_photo_reviewers_are_a_group_that_opens_stories_and_their_media(client: Client) -> None:
    reviewer, story = make_user(is_staff=True), make_ready_video_story()
    reviewer.groups.add(Group.objects.get(name="Photo reviewers"))
    client.force_login(reviewer)
    pages = [url(name, story) for name in ("photo", "thumbnail", "video")]
    pages.append(f"/admin/stories/story/{story.pk}/change/")
    assert [client.get(page).status_code for page in pages] == [200] * 4


def test_photo_goes_to_a_program_with_the_token_of_its_owner(client: Client) -> None:
    story = make_story()
    _, plain = issue_api_token(user=story.user, label="phone")
    page = url("photo", story)
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 200
    assert client.get(page).status_code == 302


def test_photo_of_somebody_else_is_not_there_for_a_token(client: Client) -> None:
    _, plain = issue_api_token(user=make_user(), label="phone")
    page = url("photo", make_story())
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 404


def test_photo_with_an_unknown_token_is_refused(client: Client) -> None:
    response = client.get(url("photo", make_story()), headers={"Authorization": "Token wrong"})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


def test_photo_whose_file_is_gone_is_not_there(client: Client, me: User) -> None:
    story = make_story(me)
    story.photo.file.delete(save=False)
    assert client.get(url("photo", story)).status_code == 404


# --- Home and upload ------------------------------------------------------------------------------


def test_home_tells_strangers_what_this_is(client: Client) -> None:
    response = client.get("/")
    assert "Your photo has a mood" in text(response)
    assert reverse("accounts:sign_up") in text(response)


def test_home_leads_people_to_the_upload(client: Client, me: User) -> None:
    assert client.get("/")["Location"] == reverse("stories:new")


def test_upload_asks_about_faces_first(client: Client, me: User) -> None:
    User.objects.update(faces_consent=None)
    response = client.get(reverse("stories:new"))
    assert response["Location"] == "/accounts/notice/?next=%2Fstories%2Fnew%2F"


@pytest.mark.usefixtures("broker")
def test_upload_makes_a_story_and_leads_to_it(client: Client, me: User) -> None:
    response = client.post(reverse("stories:new"), upload())
    story = Story.objects.get(user=me)
    assert (response.status_code, response["Location"]) == (302, url("story", story))
    assert (story.caption, story.status) == ("A day out", Story.Status.QUEUED)


@pytest.mark.usefixtures("broker")
def test_upload_by_htmx_sends_the_page_to_the_story(client: Client, me: User) -> None:
    response = client.post(reverse("stories:new"), upload(), headers=HTMX)
    assert response["HX-Redirect"] == url("story", Story.objects.get(user=me))


@pytest.mark.usefixtures("broker")
def test_upload_sent_twice_is_one_story(client: Client, me: User) -> None:
    once = str(uuid4())
    answers = [client.post(reverse("stories:new"), upload(once=once)) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Story.objects.count() == 1


@pytest.mark.usefixtures("broker")
def test_upload_of_another_photo_from_the_same_page_is_another_story(
    client: Client, me: User
) -> None:
    once = str(uuid4())
    for caption in ("first", "second"):
        assert client.post(reverse("stories:new"), upload(once=once, caption=caption))
    assert set(Story.objects.values_list("caption", flat=True)) == {"first", "second"}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, "an SVG drawing"),
        ({"content": b""}, "This file is empty"),
        ({"photo": ""}, "Please choose a photo or a video first."),
        ({"caption": "x" * 1001}, "under 1000 characters"),
    ],
)
def test_upload_that_cannot_be_used_says_why(
    client: Client, me: User, sent: dict[str, Any], words: str
) -> None:
    page = client.post(reverse("stories:new"), upload(**sent))
    part = client.post(reverse("stories:new"), upload(**sent), headers=HTMX)
    assert (page.status_code, part.status_code) == (422, 422)
    assert words in text(page)
    assert words in text(part)
    assert "<html" in text(page)
    assert "<html" not in text(part)
    assert not Story.objects.exists()


def test_upload_page_knows_the_words_of_the_server(client: Client, me: User) -> None:
    page = text(client.get(reverse("stories:new")))
    assert 'too-large="This photo is larger than 20 MB. Please choose a smaller one."' in page
    assert 'too-large="This video is larger than 100 MB.' in page
    assert "Please choose a photo (JPEG, PNG, WebP or HEIC) or a video (MP4, MOV or WebM)." in page


@pytest.mark.usefixtures("broker")
def test_too_many_uploads_are_asked_to_wait(client: Client, me: User, settings: Any) -> None:
    settings.STORIES_UPLOAD_RATE = "1/min"
    client.post(reverse("stories:new"), upload())
    response = client.post(reverse("stories:new"), upload())
    assert response.status_code == 429
    assert "Please wait a minute" in text(response)


# --- While it is analysed -------------------------------------------------------------------------


def test_progress_names_the_stage_and_refreshes_without_javascript(
    client: Client, me: User
) -> None:
    story = make_story(me, status=Story.Status.ANALYSING, stage="action")
    page = text(client.get(url("story", story)))
    assert "Recognising the action…" in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_progress_is_silent_while_nothing_changed(client: Client, me: User) -> None:
    story = make_story(me, status=Story.Status.ANALYSING, stage="faces")
    first = text(client.get(url("progress", story), headers=HTMX))
    seen = re.search(r'name="seen" value="([^"]+)"', first)
    assert seen
    again = client.get(url("progress", story), {"seen": seen[1]}, headers=HTMX)
    assert again.status_code == 204
    Story.objects.update(stage="mood")
    later = client.get(url("progress", story), {"seen": seen[1]}, headers=HTMX)
    assert "Finding the mood and the music…" in text(later)


def test_progress_without_caption_has_no_step_for_it(client: Client, me: User) -> None:
    story = make_story(me, caption="")
    assert "Reading your words" not in text(client.get(url("story", story)))


def test_progress_ends_in_the_whole_story(client: Client, ready: Story) -> None:
    response = client.get(url("progress", ready), headers=HTMX)
    assert response["HX-Retarget"] == "#story"
    assert "This feels" in text(response)


def test_progress_without_htmx_leads_to_the_page(client: Client, ready: Story) -> None:
    assert client.get(url("progress", ready))["Location"] == url("story", ready)


def test_story_that_waits_for_the_models_says_how_far_they_are(client: Client, me: User) -> None:
    story = make_story(me)
    model_status.publish("models@here:0", 3, 7)
    page = text(client.get(url("progress", story), headers=HTMX))
    assert "The models are warming up: 3 of 7 parts are loaded." in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen
    again = client.get(url("progress", story), {"seen": seen[1]}, headers=HTMX)
    assert again.status_code == 204
    model_status.publish("models@here:0", 7, 7)
    later = client.get(url("progress", story), {"seen": seen[1]}, headers=HTMX)
    assert "warming up" not in text(later)


def test_story_without_models_says_so_once_that_is_more_than_a_restart(
    client: Client, me: User
) -> None:
    now, before = make_story(me), make_story(me, created_at=timezone.now() - timedelta(minutes=2))
    gone = "The models are not running at the moment."
    assert gone not in text(client.get(url("story", now)))
    assert gone in text(client.get(url("story", before)))


def test_story_in_a_long_queue_says_so(client: Client, me: User) -> None:
    model_status.publish("models@here:0", 7, 7)
    story = make_story(me, created_at=timezone.now() - timedelta(minutes=2))
    assert "There is a queue" in text(client.get(url("story", story)))


def test_story_whose_queue_is_down_says_so(client: Client, me: User) -> None:
    story = make_story(me, error="Saved. Analysis is delayed.")
    assert "Saved. Analysis is delayed." in text(client.get(url("story", story)))


@pytest.mark.usefixtures("broker")
def test_failed_story_says_why_and_is_tried_again(client: Client, me: User) -> None:
    story = make_story(me, status=Story.Status.FAILED, error="The photo ran away.")
    assert "The photo ran away." in text(client.get(url("story", story)))
    assert client.post(url("retry", story))["Location"] == url("story", story)
    story.refresh_from_db()
    assert story.status == Story.Status.QUEUED


def test_retry_of_a_story_that_is_ready_is_refused_in_words(client: Client, ready: Story) -> None:
    response = client.post(url("retry", ready), follow=True)
    assert "Only a story whose analysis failed" in text(response)


# --- The story ------------------------------------------------------------------------------------


def test_story_shows_tags_face_mood_and_tracks(client: Client, ready: Story) -> None:
    page = text(client.get(url("story", ready)))
    assert 'aria-label="Face 1: happy 70%"' in page
    assert "<span>Running</span>" in page
    assert "Show all 15" in page
    assert page.count('class="suggestion"') == len(current_suggestions(ready.pk)) == 10
    assert page.count('class="plane__dot"') == 10
    assert "Goats &amp; grandma" in page
    assert "style=" not in page


def test_story_without_face_or_action_says_so_plainly(client: Client, ready: Story) -> None:
    analysis = ready.analysis
    analysis.emotion, analysis.faces, analysis.action_label = None, [], None
    analysis.save()
    page = text(client.get(url("story", ready)))
    assert "No face found, so no emotion was read." in page
    assert "No recognisable action." in page
    assert 'class="faces"' not in page


def test_correction_ranks_again_and_answers_with_the_story(client: Client, ready: Story) -> None:
    before = {one.batch for one in current_suggestions(ready.pk)}
    response = client.post(url("correct", ready), {"emotion": "sad"}, headers=HTMX)
    assert response.status_code == 200
    assert text(response).count("Set by you") == 1
    assert "<html" not in text(response)
    assert {one.batch for one in current_suggestions(ready.pk)} != before
    assert Correction.objects.get().after == "sad"


def test_correction_without_htmx_leads_back_with_a_word(client: Client, ready: Story) -> None:
    response = client.post(url("correct", ready), {"action": "none"}, follow=True)
    assert response.redirect_chain == [(url("story", ready), 302)]
    assert "Here is the music that fits now." in text(response)


def test_mood_set_by_hand_is_marked(client: Client, ready: Story) -> None:
    response = client.post(url("correct", ready), {"valence": "0.9", "energy": "0.1"})
    ready.analysis.refresh_from_db()
    assert response.status_code == 302
    assert (ready.analysis.mood_valence, ready.analysis.mood_energy) == (0.9, 0.1)
    assert "calm" in text(client.get(url("story", ready)))


@pytest.mark.parametrize(
    "sent", [{}, {"emotion": "joy"}, {"valence": "0.5"}, {"valence": "7", "energy": "0.5"}]
)
def test_correction_that_makes_no_sense_changes_nothing(
    client: Client, ready: Story, sent: dict[str, str]
) -> None:
    response = client.post(url("correct", ready), sent, follow=True)
    assert "Please correct one thing at a time." in text(response)
    assert not Correction.objects.exists()


def test_correction_before_the_story_is_ready_is_refused(client: Client, me: User) -> None:
    story = make_story(me)
    response = client.post(url("correct", story), {"emotion": "sad"}, follow=True)
    assert "has not been analysed yet" in text(response)


def test_saving_marks_the_track_and_only_the_buttons_change(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[2].track
    response = client.post(url("choose", ready), {"track": track.pk}, headers=HTMX)
    assert "Saved with this story" in text(response)
    assert "<audio" not in text(response)
    choice = get_choice(ready.pk)
    assert choice
    assert choice.track == track


def test_saving_without_htmx_leads_back_with_the_title(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[0].track
    response = client.post(url("choose", ready), {"track": track.pk}, follow=True)
    assert f"Saved “{track.title}” with your story." in text(response)
    client.post(url("unchoose", ready))
    assert get_choice(ready.pk) is None


@pytest.mark.parametrize("track", ["", "x", str(uuid4())])
def test_saving_what_is_no_track_is_refused(client: Client, ready: Story, track: str) -> None:
    response = client.post(url("choose", ready), {"track": track}, follow=True)
    assert "There is no such track." in text(response)
    assert get_choice(ready.pk) is None


def test_saved_track_stays_in_sight_when_it_is_suggested_no_more(
    client: Client, ready: Story
) -> None:
    suggested = current_suggestions(ready.pk)[0]
    client.post(url("choose", ready), {"track": suggested.track_id})
    client.post(url("dismiss", ready), {"suggestion": suggested.pk})
    page = text(client.get(url("story", ready)))
    assert "suggestion--saved" in page
    assert suggested.track.title in page


def test_refused_track_leaves_the_list(client: Client, ready: Story) -> None:
    refused = current_suggestions(ready.pk)[0]
    response = client.post(url("dismiss", ready), {"suggestion": refused.pk}, headers=HTMX)
    assert "Undo" in text(response)
    assert refused not in current_suggestions(ready.pk)
    page = text(client.get(url("story", ready)))
    assert "Taken off this list" in page
    response = client.post(url("restore", ready), {"suggestion": refused.pk}, headers=HTMX)
    assert refused.track.title in text(response)
    assert refused in current_suggestions(ready.pk)


def test_suggestion_of_somebody_else_cannot_be_refused(client: Client, ready: Story) -> None:
    Suggestion.objects.update(user=make_user())
    suggestion = current_suggestions(ready.pk)[0]
    client.post(url("dismiss", ready), {"suggestion": suggestion.pk})
    assert suggestion in current_suggestions(ready.pk)


# --- History and deletion -------------------------------------------------------------------------


def test_history_without_stories_invites(client: Client, me: User) -> None:
    assert "No stories yet" in text(client.get(reverse("stories:history")))


def test_history_shows_mood_and_saved_track(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[0].track
    client.post(url("choose", ready), {"track": track.pk})
    page = text(client.get(reverse("stories:history")))
    assert track.title in page
    assert "Goats &amp; grandma" in page
    assert "Joyful" in page


def test_history_goes_page_by_page_and_misses_nothing(client: Client, me: User) -> None:
    moment = timezone.now()
    made = {make_story(me, created_at=moment).pk for _ in range(PAGE + 3)}
    make_story()
    first = client.get(reverse("stories:history"))
    older = re.search(r'href="(\?before=[^"]+)"', text(first))
    assert older
    second = client.get(reverse("stories:history") + older[1], headers=HTMX)
    assert "<html" not in text(second)
    shown = re.findall(r"/stories/([0-9a-f-]{36})/\"", text(first) + text(second))
    assert len(shown) == len(made)
    assert set(shown) == {str(pk) for pk in made}
    assert "Older stories" not in text(second)


NO_ID = "0" * 32
BEFORE_TIME, AFTER_TIME = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "2026-01-01~x", "~", f"2026-01-01T00:00~{NO_ID}"),
        *(f"{BEFORE_TIME}~{NO_ID}", f"{AFTER_TIME}~{NO_ID}"),
    ],
)
def test_history_with_a_broken_cursor_is_not_there(client: Client, me: User, cursor: str) -> None:
    make_story(me)
    assert client.get(reverse("stories:history"), {"before": cursor}).status_code == 404


def test_deleting_asks_first_and_then_says_so(client: Client, ready: Story) -> None:
    assert "Delete this story?" in text(client.get(url("delete", ready)))
    response = client.post(url("delete", ready), follow=True)
    assert response.redirect_chain == [(reverse("stories:history"), 302)]
    assert "The story is deleted." in text(response)
    assert not Story.objects.exists()


def test_unknown_address_has_a_page_of_its_own(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Page not found" in text(response)
