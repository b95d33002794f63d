"""The sandbox's listeners and their music: pages, cursors, oddities, refusals."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import SpotifyAccount
from accounts.spotify.client import (
    MissingScope,
    NotOnAllowList,
    NotYourPlaylist,
    PremiumNeeded,
    PublicPlaylist,
    RateLimited,
    Spotify,
    TopRange,
)
from accounts.spotify.sandbox import memory, songs
from accounts.spotify.sandbox.listeners import LISTENERS
from accounts.spotify.scopes import SCOPES, Purpose, needed_for
from tests.accounts.conftest import SandboxTransport
from tests.accounts.spotify.sandbox_api import Api
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db
SCOPE = " ".join(needed_for(Purpose))


def connect(listener: str, scope: str = SCOPE) -> Spotify:
    """The client with a token of the listener's."""
    permission = memory.Permission(listener, scope)
    one = LISTENERS[listener]
    account = make_spotify_account(
        account_id=one.account_id, spotify_id=one.id, access_token=memory.keep_access(permission)
    )
    return Spotify(account, transport=SandboxTransport())


def all_pages(read: Any) -> list[Any]:
    """Every item, by following next_offset, as many pages as there are."""
    items: list[Any] = []
    offset: int | None = 0
    while offset is not None:
        page = read(offset)
        items += page.items
        offset = page.next_offset
    return items


def test_a_library_of_500_is_read_in_ten_pages() -> None:
    with connect("ines") as spotify:
        saved = all_pages(spotify.saved_tracks)

    assert len(saved) == len({item.track.id for item in saved}) == 500
    assert [item.added_at for item in saved] == sorted(
        (item.added_at for item in saved), reverse=True
    )
    titles = {item.track.title for item in saved}
    assert {"Ночной трамвай", "夜の港", "ليالي الميناء", "🌧️🌧️"} <= titles


def test_a_library_of_5000_is_there_to_page_through() -> None:
    with connect("vera") as spotify:
        page = spotify.saved_tracks(offset=4990)

    assert (page.total, len(page.items), page.next_offset) == (5000, 10, None)


def test_odd_items_are_there_and_fail_no_page() -> None:
    with connect("ines") as spotify:
        saved = {item.track.title: item.track for item in all_pages(spotify.saved_tracks)}
        twice = [t for t in all_pages(spotify.saved_tracks) if t.track.title == "Twice Pressed"]
        odd = next(one for one in spotify.playlists().items if one.name == "All sorts")
        listed = spotify.playlist_items(odd.id)
    raw = Api("ines")("GET", f"/playlists/{odd.id}/items?limit=50").json()["items"]

    assert not saved["Not in Your Country"].is_playable
    assert saved["Kitchen Radio"].linked_from
    assert len({one.track.isrc for one in twice}) == 1
    assert len({one.track.id for one in twice}) == 2
    kinds = [(i["item"] or {}).get("type") for i in raw]
    assert (kinds.count("episode"), kinds.count(None), sum(i["is_local"] for i in raw)) == (1, 1, 1)
    assert len(listed.items) == listed.total - 3 == odd.n_items - 3


def test_top_has_three_orders_and_history_a_cursor() -> None:
    with connect("kofi") as spotify:
        orders = [
            [one.id for one in all_pages(lambda at, span=span: spotify.top_tracks(span, at))]
            for span in TopRange
        ]
        artists = spotify.top_artists(TopRange.LONG)
        first = spotify.recently_played()
        rest = spotify.recently_played(before=first.before)

    assert [len(order) for order in orders] == [80, 80, 80]
    assert orders[0] != orders[1] != orders[2]
    assert len(artists.items) > 5
    assert (len(first.items), len(rest.items), rest.before) == (50, 20, None)
    times = [item.added_at for item in (*first.items, *rest.items) if item.added_at]
    assert times == sorted(set(times), reverse=True)


def test_what_is_saved_is_there_until_it_is_removed() -> None:
    song = songs.NAMED[0]

    with connect("kofi") as spotify:
        assert spotify.library_contains([song.id]) == (False,)
        for _ in range(2):
            spotify.save_to_library([song.id])
        newest = spotify.saved_tracks(limit=1)
        assert (newest.total, newest.items[0].track.title) == (121, "Paper Lanterns")
        assert spotify.library_contains([song.id, songs.NAMED[1].id]) == (True, False)
        spotify.remove_from_library([song.id])
        assert spotify.saved_tracks(limit=1).total == 120


def test_a_new_playlist_takes_tracks_and_gives_them_back() -> None:
    song = songs.NAMED[0]

    with connect("mira") as spotify:
        made = spotify.create_playlist("Storify")
        spotify.add_to_playlist(made.id, [song.id, song.id])
        (listed,) = spotify.playlists().items
        assert (listed.name, listed.n_items, listed.is_own) == ("Storify", 2, True)
        assert made.is_own
        spotify.remove_from_playlist(made.id, [song.id])
        assert spotify.playlist_items(made.id).total == 0


def test_a_public_playlist_takes_tracks_with_its_own_scope_alone() -> None:
    song, change = songs.NAMED[0], f"{SCOPE} playlist-modify-public"

    with connect("ines") as spotify:
        own = {one.is_public: one for one in spotify.playlists().items if one.is_own}
        spotify.add_to_playlist(own[False].id, [song.id])
        with pytest.raises(PublicPlaylist):
            spotify.add_to_playlist(own[True].id, [song.id])
        with pytest.raises(PublicPlaylist):
            spotify.remove_from_playlist(own[True].id, [song.id])
    items = f"/playlists/{own[True].id}/items"
    assert Api("ines", change)("POST", items, {"uris": [song.uri]}).status_code == 201


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("genre:house", {"house"}),
        ('genre:"drum and bass" year:1990-1999', {"drum and bass"}),
        ("year:1990", {*songs.GENRES}),
    ],
)
def test_search_filters_by_genre_and_year(query: str, found: set[str]) -> None:
    answer = Api()("GET", f"/search?type=track&limit=10&q={query}").json()["tracks"]

    hits = [songs.by_id()[one["id"]] for one in answer["items"]]
    assert {song.genre for song in hits} <= found
    if "year" in query:
        assert {song.released[:3] for song in hits} == {"199"}


def test_search_pages_up_to_fifty() -> None:
    with connect("mira") as spotify:
        pages = [spotify.search_tracks("harbour", offset=offset) for offset in range(0, 50, 10)]

    assert len({track.id for page in pages for track in page.items}) == 50


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/me/tracks", "user-library-read"),
        ("/me/top/tracks", "user-top-read"),
        ("/me/top/artists", "user-top-read"),
        ("/me/player/recently-played", "user-read-recently-played"),
        ("/me/playlists", "playlist-read-private"),
        ("/me/library/contains?uris=spotify:track:x", "user-library-read"),
    ],
)
def test_each_call_needs_exactly_its_scope(path: str, scope: str) -> None:
    others = " ".join(one for one in needed_for(Purpose) if one != scope)

    assert Api("ines", scope=scope)("GET", path).status_code == 200
    refused = Api("ines", scope=others)("GET", path)
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        403,
        "Insufficient client scope",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/me/tracks?limit=51", "/me/tracks?limit=0", "/me/tracks?offset=x", "/me/tracks?offset=-1",
        "/me/top/tracks?time_range=ever", "/me/player/recently-played?before=1&after=1",
        "/me/library/contains", "/me/library/contains?uris=x",
        "/me/library/contains?uris=" + ",".join(["spotify:track:x"] * 41),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_a_400(path: str) -> None:
    assert Api("ines")("GET", path).status_code == 400


def test_the_four_refusals_arrive_as_four_errors() -> None:
    with connect("nora") as spotify, pytest.raises(NotOnAllowList):
        spotify.search_tracks("rain")
    with connect("pia") as spotify, pytest.raises(PremiumNeeded):
        spotify.search_tracks("rain")
    with connect("mira", scope="user-top-read") as spotify, pytest.raises(MissingScope):
        spotify.save_to_library(["x"])
    with connect("ines") as spotify:
        other = next(one for one in spotify.playlists().items if not one.is_own)
        with pytest.raises(NotYourPlaylist):
            spotify.playlist_items(other.id)


def test_a_limit_of_seconds_comes_in_the_middle_of_a_library() -> None:
    with connect("milo") as spotify:
        spotify.saved_tracks()
        spotify.saved_tracks()
        with pytest.raises(RateLimited) as caught:
            spotify.saved_tracks()

    assert caught.value.reason == ""


# --- its own pages ---


def test_its_own_page_shows_library_and_playlists(client: Client) -> None:
    song = songs.NAMED[0]
    with connect("kofi") as spotify:
        spotify.save_to_library([song.id])

    assert "Whose music" in client.get("/sandbox/open/").content.decode()
    page = client.get("/sandbox/open/?listener=kofi").content.decode()

    assert "Paper Lanterns" in page
    assert "121 saved tracks" in page
    assert "Long drives" in page
    assert song.title in client.get(f"/sandbox/open/track/{song.id}").content.decode()
    assert client.get("/sandbox/open/track/unknown").status_code == 404
    assert client.get("/sandbox/open/playlist/unknown").status_code == 404


def test_reset_puts_everything_back(client: Client) -> None:
    with connect("kofi") as spotify:
        spotify.save_to_library([songs.NAMED[0].id])
        spotify.create_playlist("Storify")
    with connect("quin") as spotify, pytest.raises(RateLimited):
        spotify.search_tracks("rain")

    client.post("/sandbox/open/reset/", {"listener": "kofi"})

    SpotifyAccount.objects.all().delete()
    with connect("kofi") as spotify:
        assert spotify.saved_tracks(limit=1).total == 120
        assert "Storify" not in [one.name for one in spotify.playlists().items]


def test_the_player_may_be_framed_by_this_site_alone_and_plays_on_click(client: Client) -> None:
    response = client.get(f"/sandbox/open/embed/track/{songs.NAMED[0].id}")

    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    html = response.content.decode()
    assert "<audio controls" in html
    assert "autoplay" not in html
    assert client.get("/sandbox/open/")["X-Frame-Options"] == "DENY"


def test_its_pages_are_shut_where_it_is_off(client: Client, settings: LazySettings) -> None:
    settings.SPOTIFY_SANDBOX = False

    for path in ("", f"embed/track/{songs.NAMED[0].id}", f"track/{songs.NAMED[0].id}"):
        assert client.get(f"/sandbox/open/{path}").status_code == 404
    assert client.post("/sandbox/open/reset/").status_code == 404


def test_every_scope_that_is_asked_for_is_used() -> None:
    """What nothing uses isn't asked for."""
    used = {
        "user-library-read", "user-library-modify", "user-top-read", "user-read-recently-played",
        "playlist-read-private", "playlist-modify-private",
    }  # fmt: skip
    assert set().union(*SCOPES.values()) == used
