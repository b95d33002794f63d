"""The client's calls for a person's own music: what is asked, and what is read of the answers."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from accounts.models import SpotifyAccount
from accounts.spotify.client import (
    Spotify,
    SpotifyUnavailable,
    TopRange,
)
from tests.accounts.spotify.fake_spotify import FakeSpotify, me
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db


def track(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"{number:022d}",
        "type": "track",
        "name": f"Track {number}",
        "artists": [{"name": "Somebody"}],
        "album": {"name": "Album", "release_date": "2020", "images": []},
        "duration_ms": 180_000,
        "external_ids": {"isrc": "NLA32-05-00001"},
        "external_urls": {"spotify": f"https://open.spotify.com/track/{number:022d}"},
        **changed,
    }


def page(items: list[Any], *, offset: int = 0, limit: int = 50, total: int = 500) -> dict[str, Any]:
    more = offset + limit < total
    return {
        "href": "https://api.spotify.com/v1/x",
        "items": items,
        "limit": limit,
        "next": "https://api.spotify.com/v1/x?more" if more else None,
        "offset": offset,
        "previous": None,
        "total": total,
    }


def answering(body: Any, status: int = 200) -> FakeSpotify:
    return FakeSpotify(lambda request: httpx.Response(status, json=body))


def client(wire: FakeSpotify, **fields: Any) -> Spotify:
    return Spotify(make_spotify_account(**fields), transport=wire)


def test_saved_tracks_come_by_pages_with_when_they_were_saved() -> None:
    wire = answering(page([{"added_at": "2026-05-01T10:00:00Z", "track": track()}], offset=50))

    with client(wire) as spotify:
        found = spotify.saved_tracks(offset=50)

    assert wire.asked[0].url.path == "/sandbox/api/v1/me/tracks"
    assert dict(wire.asked[0].url.params) == {"limit": "50", "offset": "50"}
    assert (found.total, found.next_offset) == (500, 100)
    (item,) = found.items
    assert item.added_at == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert (item.track.title, item.track.isrc) == ("Track 1", "NLA320500001")
    assert item.track.is_playable
    assert item.track.linked_from == ""


def test_the_last_page_has_no_next() -> None:
    wire = answering(page([], offset=450))

    with client(wire) as spotify:
        assert spotify.saved_tracks(offset=450).next_offset is None


STRANGE: dict[str, Any] = {
    "null": None,
    "no track": {"added_at": "2026-05-01T10:00:00Z", "track": None},
    "episode": {"track": track(type="episode", show={"name": "A podcast"})},
    "local file": {"track": track(id=None, is_local=True, uri="spotify:local:a:b:c:1")},
    "local file with an id": {"track": track(is_local=True)},
    "gone": {"track": track(name="", artists=[{"name": ""}], duration_ms=0)},
    "no artists": {"track": {"id": "x", "name": "y", "type": "track"}},
    "a string": "spotify:track:x",
    "a list": [],
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=[*STRANGE])
def test_no_strange_item_fails_its_page(strange: Any) -> None:
    good = {"added_at": "2026-05-01T10:00:00Z", "track": track(2)}

    with client(answering(page([strange, good]))) as spotify:
        found = spotify.saved_tracks()

    assert [item.track.title for item in found.items] == ["Track 2"]
    assert (found.total, found.next_offset) == (500, 50)


@pytest.mark.parametrize(
    "changed",
    [
        {"album": None},
        {"album": {}},
        {"album": {"name": None, "images": None}},
        {"external_ids": None},
        {"external_urls": {}},
        {"name": "Ночь 🌙 夜 لیل"},
        {"artists": [{"name": "A"}, {"name": None}]},
    ],
)
def test_a_track_that_lacks_something_is_still_a_track(changed: dict[str, Any]) -> None:
    with client(answering(page([{"added_at": None, "track": track(**changed)}]))) as spotify:
        (item,) = spotify.saved_tracks().items

    assert item.track.title == changed.get("name", "Track 1")
    assert item.track.spotify_url == f"https://open.spotify.com/track/{1:022d}"
    assert item.added_at is None


def test_relinked_and_unplayable_tracks_say_so() -> None:
    relinked = track(linked_from={"id": "asked-for", "type": "track"}, is_playable=True)
    blocked = [track(2, is_playable=False), track(3, restrictions={"reason": "market"})]

    with client(answering(page([{"track": one} for one in (relinked, *blocked)]))) as spotify:
        first, *rest = [item.track for item in spotify.saved_tracks().items]

    assert (first.linked_from, first.is_playable) == ("asked-for", True)
    assert [one.is_playable for one in rest] == [False, False]


def test_top_tracks_and_artists_have_three_ranges() -> None:
    artist = {"id": "a", "name": "Somebody", "external_urls": {"spotify": "https://x"}}
    wire = FakeSpotify(
        lambda request: httpx.Response(
            200, json=page([artist if request.url.path.endswith("artists") else track()], total=1)
        )
    )

    with client(wire) as spotify:
        for span in TopRange:
            assert spotify.top_tracks(span).items[0].title == "Track 1"
        assert spotify.top_artists(TopRange.LONG).items[0].name == "Somebody"

    asked = [request.url.params["time_range"] for request in wire.asked]
    assert asked == ["short_term", "medium_term", "long_term", "long_term"]


def test_recently_played_continues_by_its_cursor() -> None:
    played = [{"played_at": "2026-11-20T08:00:00.123Z", "track": track(), "context": None}, None]
    body = {
        "items": played,
        "next": "https://api.spotify.com/v1/me/player/recently-played?before=1",
        "cursors": {"after": "1795334400123", "before": "1795161600123"},
        "limit": 50,
    }
    wire = answering(body)

    with client(wire) as spotify:
        recent = spotify.recently_played()
        wire.api = lambda request: httpx.Response(200, json={"items": [], "next": None})
        end = spotify.recently_played(before=recent.before)

    assert [item.track.title for item in recent.items] == ["Track 1"]
    assert "before" not in wire.asked[0].url.params
    assert wire.asked[1].url.params["before"] == "1795161600123"
    assert (end.items, end.before) == ((), None)


def playlist(owner: str | None) -> dict[str, Any]:
    by = {"id": owner} if owner else None
    return {"id": f"p-{owner}", "name": "Mix", "owner": by, "items": {"total": 7}}


def test_playlists_say_which_are_their_own() -> None:
    wire = answering(page([playlist("them"), playlist("other"), None, playlist(None)]))

    with client(wire, spotify_id="them") as spotify:
        found = spotify.playlists().items

    assert [(one.owner_id, one.is_own, one.n_items) for one in found] == [
        ("them", True, 7),
        ("other", False, 7),
        ("", False, 7),
    ]


def test_an_account_of_an_older_version_learns_its_own_id_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return me() if request.url.path.endswith("/me") else lists

    lists = httpx.Response(200, json=page([playlist("me")]))
    wire = FakeSpotify(answer)

    with client(wire, spotify_id="") as spotify:
        assert [spotify.playlists().items[0].is_own for _ in range(2)] == [True, True]

    assert wire.count("/v1/me") == 1
    assert SpotifyAccount.objects.get().spotify_id == "me"


def test_playlist_items_are_tracks_with_dates() -> None:
    items = [
        {"added_at": "2026-01-02T03:04:05Z", "is_local": False, "item": track()},
        {"added_at": "1970-01-01T00:00:00Z", "is_local": False, "item": track(2)},
        {"added_at": None, "is_local": True, "item": track(3, id=None, is_local=True)},
        {"added_at": None, "item": track(4, type="episode")},
        {"added_at": None, "item": None},
    ]
    wire = answering(page(items, total=5))

    with client(wire) as spotify:
        found = spotify.playlist_items("a/b")

    assert wire.asked[0].url.raw_path.startswith(b"/sandbox/api/v1/playlists/a%2Fb/items?")
    assert [(one.track.title, bool(one.added_at)) for one in found.items] == [
        ("Track 1", True),
        ("Track 2", False),
    ]


def test_search_pages_and_filters() -> None:
    wire = answering({"tracks": page([track(), None], offset=10, limit=10, total=40)})

    with client(wire) as spotify:
        found = spotify.search_tracks("rain", offset=10, genre='indie "pop', year="1990-1999")

    assert dict(wire.asked[0].url.params) == {
        "q": 'rain genre:"indie  pop" year:1990-1999',
        "type": "track",
        "limit": "10",
        "offset": "10",
    }
    assert ([one.title for one in found.items], found.next_offset) == (["Track 1"], 20)


def test_saving_is_asked_removed_and_taken_back_by_uris() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[True, False] if request.method == "GET" else None)

    wire = FakeSpotify(answer)

    with client(wire) as spotify:
        spotify.save_to_library(["a", "b"])
        assert spotify.library_contains(["a", "b"]) == (True, False)
        spotify.remove_from_library(["a"])

    assert [(one.method, one.url.params["uris"]) for one in wire.asked] == [
        ("PUT", "spotify:track:a,spotify:track:b"),
        ("GET", "spotify:track:a,spotify:track:b"),
        ("DELETE", "spotify:track:a"),
    ]


def test_an_answer_for_fewer_tracks_than_asked_is_never_believed() -> None:
    with client(answering([True])) as spotify, pytest.raises(SpotifyUnavailable):
        spotify.library_contains(["a", "b"])


def test_tracks_leave_a_playlist_by_uri() -> None:
    wire = answering({"snapshot_id": "s2"})

    with client(wire) as spotify:
        assert spotify.remove_from_playlist("p", ["a"]) == "s2"

    assert wire.asked[0].method == "DELETE"
    assert wire.asked[0].read() == b'{"items":[{"uri":"spotify:track:a"}]}'
