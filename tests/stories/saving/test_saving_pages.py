"""Saving to Spotify on the story's page, with and without script."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SpotifyAccount, User
from recommender import services as recommender
from recommender.models import Track
from stories.models import SpotifySave, Story
from tests.factories import make_ready_story, make_track, make_user
from tests.stories.pages.conftest import text
from tests.stories.saving.conftest import HTMX, OTHER, SONG, FakeServer, Worker, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]


def part(client: Client, story: Story) -> str:
    return text(client.get(url("spotify", story), {"saving_state": SONG}, headers=HTMX))


def press(client: Client, story: Story, to: str = "library", name: str = "spotify-save") -> str:
    return text(client.post(url(name, story), {"to": to, "spotify_id": SONG}, headers=HTMX))


def choose_another(listener: User, story: Story) -> None:
    snow = make_track(source_id=OTHER, title="Snow", artists=["Ben"])
    recommender.save_choice(user=listener, story_id=story.pk, track_id=snow.pk)


def poll_address(page: str) -> str:
    """The address that the page polls."""
    found = re.search(r'hx-get="([^"]*saving_state=[^"]*)"', page)
    assert found
    return found[1]


def test_the_page_itself_asks_spotify_nothing(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    page = text(signed_in.get(url("story", story)))
    assert "Save to your Spotify library" in page.replace("<bdi>", "").replace("<span >", "")
    assert spotify.sent == []


def test_the_part_shows_that_a_track_is_in_the_library_already(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.library = [SONG]
    assert "place--saved" in part(signed_in, story)
    assert "place--saved" in part(signed_in, story)
    assert spotify.calls("GET", "/contains") == 1


def test_a_poll_that_finds_nothing_new_leaves_the_page_alone(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    shown = poll_address(text(signed_in.get(url("story", story))))
    assert signed_in.get(shown, headers=HTMX).status_code == 204
    assert spotify.calls("GET", "/contains") == 1


def test_a_poll_shows_what_spotify_says_instead(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    shown = poll_address(text(signed_in.get(url("story", story))))
    spotify.library = [SONG]
    assert "place--saved" in text(signed_in.get(shown, headers=HTMX))


def test_a_poll_shows_a_save_as_soon_as_it_is_done(
    signed_in: Client, story: Story, spotify: FakeServer, worker: Worker
) -> None:
    press(signed_in, story)
    page = text(signed_in.get(url("story", story)))
    assert 'hx-trigger="every 1s"' in page
    assert signed_in.get(poll_address(page), headers=HTMX).status_code == 204
    worker.waiting = [SpotifySave.objects.get().pk]
    worker.run()
    assert "place--saved" in text(signed_in.get(poll_address(page), headers=HTMX))


def test_a_track_that_was_removed_at_spotify_is_shown_as_not_saved(
    signed_in: Client, story: Story, listener: User, spotify: FakeServer
) -> None:
    SpotifySave.objects.create(
        user=listener, spotify_id=SONG, wanted=True, state=SpotifySave.State.DONE, attempts=1
    )
    assert "place--idle" in part(signed_in, story)


def test_saving_shows_each_state_until_it_is_done(
    signed_in: Client, story: Story, spotify: FakeServer, worker: Worker,
    django_capture_on_commit_callbacks: object,
) -> None:  # fmt: skip
    working = press(signed_in, story)
    assert "place--working" in working
    assert 'hx-trigger="every 1s"' in working
    worker.waiting = [SpotifySave.objects.get().pk]
    worker.run()
    done = part(signed_in, story)
    assert "place--saved" in done
    assert "every" not in done
    assert "place--working" in press(signed_in, story, name="spotify-remove")
    worker.waiting = [SpotifySave.objects.get().pk]
    worker.run()
    assert "place--idle" in part(signed_in, story)


def test_a_save_that_waits_says_how_long_and_asks_less_often(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    press(signed_in, story)
    SpotifySave.objects.update(due_at=timezone.now() + timedelta(hours=13))
    page = part(signed_in, story)
    assert "Spotify is busy or away" in page
    assert "13 hours" in page
    assert 'hx-trigger="every 20s"' in page
    assert spotify.sent == []


def test_a_save_that_failed_says_why_and_can_be_tried_again(
    signed_in: Client, story: Story, spotify: FakeServer, worker: Worker
) -> None:
    press(signed_in, story)
    spotify.failing = httpx.Response(403, text="Premium required")
    worker.waiting = [SpotifySave.objects.get().pk]
    worker.run()
    page = part(signed_in, story)
    assert "Premium" in page
    assert "Try again" in page


@pytest.mark.parametrize("name", ["spotify-save", "spotify-remove"])
def test_a_page_that_shows_another_track_changes_nothing_and_says_so(
    signed_in: Client, story: Story, listener: User, worker: Worker, name: str
) -> None:
    choose_another(listener, story)
    for asked in ({"to": "library", "spotify_id": SONG}, {"to": "library"}):
        page = text(signed_in.post(url(name, story), asked, follow=True))
        assert "The saved track has changed meanwhile, so nothing was done." in page
        assert f'name="spotify_id" value="{OTHER}"' in page
    assert not SpotifySave.objects.exists()
    assert worker.waiting == []


def test_a_poll_of_a_page_that_shows_another_track_renders_the_saved_one(
    signed_in: Client, story: Story, listener: User, spotify: FakeServer
) -> None:
    shown = poll_address(text(signed_in.get(url("story", story))))
    choose_another(listener, story)
    answer = signed_in.get(shown, headers=HTMX)
    assert answer["HX-Reswap"] == "none"
    assert 'id="saved" hx-swap-oob' in text(answer)
    assert "Snow" in text(answer)


def test_polls_and_clicks_replace_only_the_places(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    pressed, polled = press(signed_in, story), part(signed_in, story)
    assert 'id="spotify-places" hx-swap-oob="true"' in pressed
    assert 'id="spotify-places" hx-swap="outerHTML"' in polled
    for shown in (pressed, polled):
        assert "place--working" in shown
        assert "Add to a playlist" not in shown


def test_a_poll_says_that_the_permission_is_gone(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    press(signed_in, story)
    SpotifyAccount.objects.update(purposes=[])
    assert "Allow saving" in part(signed_in, story)


def test_while_spotify_is_away_the_page_does_not_wait_for_it_each_time(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.down = True
    for _ in range(3):
        assert "place--idle" in part(signed_in, story)
    assert len(spotify.sent) == 1


def test_without_the_permission_the_page_leads_to_it_and_back(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    SpotifyAccount.objects.update(purposes=[])
    allow = f"/accounts/spotify/allow/save/?next=/stories/{story.pk}/"
    assert f'href="{allow}"' in text(signed_in.get(url("story", story)))
    answer = signed_in.post(url("spotify-save", story), {"to": "library", "spotify_id": SONG})
    assert answer["Location"] == allow
    assert not SpotifySave.objects.exists()
    assert signed_in.get(url("spotify-playlists", story)).status_code == 302


def test_people_without_spotify_are_told_what_it_would_do(client: Client, song: Track) -> None:
    user = make_user()
    client.force_login(user)
    story = make_ready_story(user)
    recommender.save_choice(user=user, story_id=story.pk, track_id=song.pk)
    assert "Connect Spotify" in text(client.get(url("story", story)))


def test_a_track_that_spotify_does_not_have_cannot_be_saved_there(
    signed_in: Client, listener: User
) -> None:
    story = make_ready_story(listener)
    tune = make_track(source=Track.Source.DEMO)
    assert "Save a track with this story first" in text(
        signed_in.post(url("spotify-save", story), {"to": "library"}, follow=True)
    )
    recommender.save_choice(user=listener, story_id=story.pk, track_id=tune.pk)
    assert "spotify-save" not in text(signed_in.get(url("story", story)))
    page = signed_in.post(url("spotify-save", story), {"to": "library"}, follow=True)
    assert "on Spotify, so it can" in text(page)


def test_own_playlists_are_listed_to_choose_from_and_the_last_one_is_chosen(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.add_playlist("Hits", owner="somebody")
    spotify.add_playlist("Party", public=True)
    road = spotify.add_playlist("Road")
    page = text(signed_in.get(url("spotify-playlists", story), headers=HTMX))
    assert "Road" in page
    assert "Hits" not in page
    assert "Party" not in page
    assert "public ones aren’t listed" in page
    assert 'value="storify" selected' in page
    press(signed_in, story, to=road)
    page = text(signed_in.get(url("spotify-playlists", story)))
    assert f'value="{road}" selected' in page
    assert "<html" in page


@pytest.mark.parametrize(("title", "shown"), [("Rain", "Rain"), ("", "a track on Spotify")])
def test_the_page_of_playlists_links_the_title_to_spotify(
    signed_in: Client, story: Story, song: Track, title: str, shown: str
) -> None:
    Track.objects.filter(pk=song.pk).update(title=title)
    page = text(signed_in.get(url("spotify-playlists", story)))
    assert f"<bdi>{shown}</bdi>" in page
    assert f'class="spotify-mark" href="{song.spotify_page}"' in page


def test_while_spotify_is_away_our_own_playlists_can_still_be_chosen(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.down = True
    page = text(signed_in.get(url("spotify-playlists", story), headers=HTMX))
    assert "Your own playlists aren’t listed: Spotify" in page
    assert 'value="storify"' in page
    assert "place--working" in press(signed_in, story, to="storify")


def test_a_playlist_that_is_not_ones_own_is_refused_in_words(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    theirs = spotify.add_playlist("Hits", owner="somebody")
    public = spotify.add_playlist("Party", public=True)
    for to in (theirs, public, "x" * 22):
        page = signed_in.post(
            url("spotify-save", story), {"to": to, "spotify_id": SONG}, follow=True
        )
        assert "You have no such private playlist" in text(page)
    page = signed_in.post(url("spotify-save", story), {"to": ""}, follow=True)
    assert "choose your library or a playlist" in text(page)


def test_without_script_saving_returns_to_the_story(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    asked = {"to": "library", "spotify_id": SONG}
    page = text(signed_in.post(url("spotify-save", story), asked, follow=True))
    assert "on its way to Spotify" in page
    assert "place--working" in page
    page = text(signed_in.post(url("spotify-remove", story), asked, follow=True))
    assert "place--idle" in page


def test_others_stories_are_not_found(client: Client, story: Story) -> None:
    client.force_login(make_user())
    assert client.get(url("spotify", story)).status_code == 404
    assert client.get(url("spotify-playlists", story)).status_code == 404
    for name in ("spotify-save", "spotify-remove"):
        assert client.post(url(name, story), {"to": "library"}).status_code == 404
    assert SONG != OTHER
