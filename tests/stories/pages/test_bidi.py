"""Right-to-left text in titles and captions doesn't affect the text around it."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import services as accounts
from accounts.models import User
from accounts.web.bidi import isolate
from recommender import services as recommender
from stories.models import Story
from tests.factories import make_mood, make_ready_story, make_story, make_track, make_user

# An override to right-to-left that is never closed, and a word in Hebrew.
OVERRIDE, HEBREW = "\u202e", "שלום"
WORDS = f"{OVERRIDE}{HEBREW}"
VOID = {"img", "input", "link", "meta", "br", "rect", "circle", "line", "path"}

pytestmark = pytest.mark.django_db


class Reader(HTMLParser):
    """Records user-supplied text that nothing isolates."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.around: list[tuple[str, bool]] = []
        self.seen = 0
        self.loose: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and HEBREW in value and not ({"value", "src", "href"} & {name}):
                self.seen += 1
                if OVERRIDE in value or f"\u2068{HEBREW}" not in value:
                    self.loose.append(f"{tag} {name}={value!a}")
        if tag not in VOID:
            self.around.append((tag, tag == "bdi" or dict(attrs).get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if HEBREW not in data:
            return
        self.seen += 1
        isolated = any(isolating for _, isolating in self.around)
        if not isolated and (OVERRIDE in data or f"\u2068{HEBREW}" not in data):
            self.loose.append(f"{self.around[-1:]} {data!a}")


@pytest.fixture
def user() -> User:
    user = make_user(display_name=WORDS)
    accounts.issue_api_token(user=user, label=WORDS)
    return user


@pytest.fixture
def story(user: User, settings: Settings) -> Story:
    """A story with three tracks: one saved, one refused, one demo track."""
    settings.RECOMMENDER_DEMO_TRACKS = True
    story = make_ready_story(user, caption=WORDS)
    for artist in ("a", "b", "c"):
        make_track(title=f"{WORDS} {artist}", artists=[f"{WORDS} {artist}"], genre=WORDS)
    make_track(source="demo", title=WORDS, artists=[WORDS], valence=0.4)
    shown = recommender.suggest_tracks(user=user, story_id=story.pk, mood=make_mood())
    recommender.save_choice(user=user, story_id=story.pk, track_id=shown[0].track_id)
    recommender.give_feedback(user=user, suggestion_id=shown[1].pk, feedback="not_this_one")
    return story


def read(client: Client, address: str) -> Reader:
    response = client.get(address)
    assert response.status_code == 200
    return Reader(response.content.decode())


@pytest.mark.parametrize("page", ["story", "find", "history", "waiting", "account"])
def test_pages_isolate_words_from_outside(client: Client, story: Story, page: str) -> None:
    waiting = make_story(story.user, caption=WORDS)
    client.force_login(story.user)
    address = {
        "story": reverse("stories:story", args=[story.pk]),
        "find": reverse("stories:find", args=[story.pk]) + f"?q={HEBREW}",
        "history": reverse("stories:history"),
        "waiting": reverse("stories:story", args=[waiting.pk]),
        "account": reverse("accounts:account"),
    }[page]
    read_page = read(client, address)
    assert read_page.seen
    assert read_page.loose == []


def test_messages_isolate_the_title_that_was_saved(client: Client, story: Story) -> None:
    client.force_login(story.user)
    track = make_track(title=WORDS)
    client.post(reverse("stories:choose", args=[story.pk]), {"track": track.pk})
    page = read(client, reverse("stories:history"))
    assert page.loose == []


def test_what_reads_left_to_right_stays_as_it_is() -> None:
    assert isolate("Half-Awake Harbour (feat. Łódź)") == "Half-Awake Harbour (feat. Łódź)"
    assert isolate("") == ""


def test_a_mark_cannot_end_the_isolation() -> None:
    assert isolate(f"a\u2069{WORDS}") == f"\u2068a{HEBREW}\u2069"
    assert isolate(f"{OVERRIDE}gpj.exe") == "gpj.exe"
