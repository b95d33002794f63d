"""The page of a story: tags, corrections, suggestions and the saved track."""

from __future__ import annotations

import re
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from ml.labels import EMOTIONS
from ml.mood import Gaussian
from ml.mood.fusion import fuse
from recommender.models import Suggestion
from recommender.selectors import current_suggestions, get_choice
from stories import services
from stories.models import Analysis, Story, TagEvent
from tests.factories import (
    certain,
    make_story,
    make_user,
)
from tests.stories.pages.conftest import HTMX, text, url

pytestmark = pytest.mark.django_db


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
    assert "No face found, so there&#x27;s no emotion." in page
    assert "No recognisable action." in page
    assert 'class="faces"' not in page


def mood_of_the_page(client: Client, story: Story) -> str:
    heading = re.search(r"<h1>(.*?)</h1>", text(client.get(url("story", story))))
    assert heading
    return re.sub(r"<[^>]*>", "", heading[1]).strip()


def test_heading_names_the_mood_as_the_plane_and_the_title_do(client: Client, ready: Story) -> None:
    assert mood_of_the_page(client, ready) == "This feels a little joyful"
    page = text(client.get(url("story", ready)))
    assert "The mood is a little joyful: pleasantness" in page
    assert re.search(r"<title>\s*A little joyful", page)


def test_mood_that_is_hard_to_tell_says_so_and_what_to_do(client: Client, ready: Story) -> None:
    Analysis.objects.update(scene=None)
    services.correct_story(story=ready, user=ready.user, emotion="none", action="none")
    assert mood_of_the_page(client, ready) == "The mood is hard to tell"
    assert "If you know it, set it yourself" in text(client.get(url("story", ready)))
    client.post(url("correct", ready), {"valence": "0.5", "energy": "0.6"})
    assert mood_of_the_page(client, ready) == "This feels balanced"
    assert "If you know it, set it yourself" not in text(client.get(url("story", ready)))


def test_reasons_of_tracks_claim_no_mood_of_the_story(client: Client, ready: Story) -> None:
    client.post(url("correct", ready), {"valence": "0.9", "energy": "0.1"})
    page = text(client.get(url("story", ready)))
    assert "like your story" not in page
    assert "which suits your story" in page


@pytest.mark.parametrize(("valence", "contradicts"), [(0.15, True), (0.85, False)])
def test_words_against_the_picture_make_the_mood_a_guess(
    client: Client, ready: Story, valence: float, contradicts: bool
) -> None:
    """The picture shows somebody happy."""
    words = Gaussian(np.array([valence, 0.3 + valence / 2]), np.eye(2) * 0.01)
    ready.analysis.emotion = certain(EMOTIONS, "happy", 0.95)
    ready.analysis.caption_mood = words.to_json()
    ready.analysis.save()
    page = text(client.get(url("story", ready)))
    assert ("point in different directions, so this is a guess." in page) == contradicts
    client.post(url("correct", ready), {"valence": "0.9", "energy": "0.1"})
    assert "point in different directions" not in text(client.get(url("story", ready)))


def test_contradiction_that_leaves_no_mood_is_no_guess(client: Client, ready: Story) -> None:
    ready.analysis.caption_mood = Gaussian(np.array([0.15, 0.3]), np.eye(2) * 0.01).to_json()
    ready.analysis.set_mood(fuse())
    ready.analysis.save()
    assert mood_of_the_page(client, ready) == "The mood is hard to tell"
    assert "point in different directions.<" in text(client.get(url("story", ready)))


def test_correction_ranks_again_and_answers_with_the_story(client: Client, ready: Story) -> None:
    before = {one.batch for one in current_suggestions(ready.pk)}
    response = client.post(url("correct", ready), {"emotion": "sad"}, headers=HTMX)
    assert response.status_code == 200
    assert text(response).count("Set by you") == 1
    assert "<html" not in text(response)
    assert {one.batch for one in current_suggestions(ready.pk)} != before
    assert TagEvent.objects.get().after == "sad"


def test_correction_without_htmx_leads_back_with_a_word(client: Client, ready: Story) -> None:
    response = client.post(url("correct", ready), {"action": "none"}, follow=True)
    assert response.redirect_chain == [(url("story", ready), 302)]
    assert "The suggestions are updated." in text(response)


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
    assert not TagEvent.objects.exists()


def test_correction_before_the_story_is_ready_is_refused(client: Client, me: User) -> None:
    story = make_story(me)
    response = client.post(url("correct", story), {"emotion": "sad"}, follow=True)
    assert "hasn&#x27;t been analysed yet" in text(response)


def test_saving_marks_the_track_and_only_the_buttons_change(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[2].track
    response = client.post(url("choose", ready), {"track": track.pk}, headers=HTMX)
    assert "Saved with this story" in text(response)
    assert "<audio" not in text(response)
    choice = get_choice(ready.pk)
    assert choice
    assert choice.track == track


def test_removing_the_track_is_announced(client: Client, ready: Story) -> None:
    track = {"track": current_suggestions(ready.pk)[0].track_id}
    removed = "No track is saved with this story now."
    assert removed not in text(client.post(url("choose", ready), track, headers=HTMX))
    assert removed in text(client.post(url("unchoose", ready), headers=HTMX))


def test_saving_without_htmx_leads_back_with_the_title(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[0].track
    response = client.post(url("choose", ready), {"track": track.pk}, follow=True)
    assert f"Saved “{track.title}” with your story." in text(response)
    client.post(url("unchoose", ready))
    assert get_choice(ready.pk) is None


@pytest.mark.parametrize("track", ["", "x", str(uuid4())])
def test_saving_what_is_no_track_is_refused(client: Client, ready: Story, track: str) -> None:
    response = client.post(url("choose", ready), {"track": track}, follow=True)
    assert "There&#x27;s no such track." in text(response)
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
    assert "Removed from this list" in page
    response = client.post(url("restore", ready), {"suggestion": refused.pk}, headers=HTMX)
    assert refused.track.title in text(response)
    assert refused in current_suggestions(ready.pk)


def test_suggestion_of_somebody_else_cannot_be_refused(client: Client, ready: Story) -> None:
    Suggestion.objects.update(user=make_user())
    suggestion = current_suggestions(ready.pk)[0]
    client.post(url("dismiss", ready), {"suggestion": suggestion.pk})
    assert suggestion in current_suggestions(ready.pk)
