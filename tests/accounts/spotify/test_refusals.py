"""Calls that Spotify, or the listener, doesn't allow: which refusal it is, and what to do."""

from typing import Any

import httpx
import pytest

from accounts.spotify import scopes
from accounts.spotify.client import (
    MissingScope,
    NotAllowed,
    NotOnAllowList,
    NotYourPlaylist,
    PremiumNeeded,
    PublicPlaylist,
    Spotify,
)
from accounts.spotify.scopes import Purpose
from tests.accounts.spotify.fake_spotify import FakeSpotify, Handler
from tests.accounts.spotify.test_library_calls import answering, client, page
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, True),
        ({"purposes": [Purpose.SAVE]}, False),
        ({"purposes": []}, False),
        ({"scopes": "user-library-modify playlist-modify-private"}, False),
        ({"scopes": ""}, False),
    ],
)
def test_nothing_is_asked_of_spotify_without_permission(
    fields: dict[str, Any], allowed: bool
) -> None:
    wire = answering(page([], total=0))

    with client(wire, **fields) as spotify:
        if allowed:
            spotify.saved_tracks()
        else:
            with pytest.raises(MissingScope) as caught:
                spotify.saved_tracks()
            assert caught.value.purpose is Purpose.LIBRARY
            assert "Use my Spotify music" in str(caught.value)

    assert len(wire.asked) == int(allowed)


def test_either_permission_is_enough_to_list_playlists() -> None:
    wire = answering(page([], total=0))

    for purpose in Purpose:
        with client(wire, purposes=[purpose]) as spotify:
            spotify.playlists()
    with client(wire, purposes=[]) as spotify, pytest.raises(MissingScope):
        spotify.playlists()


def forbidden(message: str, reason: str = "") -> Handler:
    body = {"error": {"status": 403, "message": message, **({"reason": reason} if reason else {})}}
    return lambda request: httpx.Response(403, json=body)


@pytest.mark.parametrize(
    ("api", "error", "says"),
    [
        (forbidden("Insufficient client scope"), PublicPlaylist, "Make it private"),
        (forbidden("User not registered in the Developer Dashboard"), NotOnAllowList, "list"),
        (
            lambda r: httpx.Response(403, text="User not registered in the Developer Dashboard"),
            NotOnAllowList,
            "add you",
        ),
        (
            forbidden("Active premium subscription required for the owner of the app."),
            PremiumNeeded,
            "Premium",
        ),
        (forbidden("Player command failed", "PREMIUM_REQUIRED"), PremiumNeeded, "Premium"),
        (forbidden("You cannot add tracks to a playlist you don't own."), NotYourPlaylist, "own"),
        (forbidden("Forbidden"), NotYourPlaylist, "Choose one of your own"),
    ],
)
def test_each_403_says_which_and_what_to_do(
    api: Handler, error: type[NotAllowed], says: str
) -> None:
    with client(FakeSpotify(api)) as spotify, pytest.raises(NotAllowed) as caught:
        spotify.add_to_playlist("p", ["a"])

    assert type(caught.value) is error
    assert says in str(caught.value)


def test_a_scope_that_spotify_misses_is_asked_of_the_person_next_time() -> None:
    wire = FakeSpotify(forbidden("Insufficient client scope"))

    with client(wire) as spotify:
        for _ in range(2):
            with pytest.raises(MissingScope, match="Save to Spotify"):
                spotify.save_to_library(["a"])

    assert len(wire.asked) == 1


@pytest.mark.parametrize("refused", Purpose)
def test_a_missing_scope_leaves_the_other_permission(refused: Purpose) -> None:
    wire, account = FakeSpotify(forbidden("Insufficient client scope")), make_spotify_account()

    with Spotify(account, transport=wire) as spotify, pytest.raises(MissingScope):
        spotify.save_to_library(["a"]) if refused == Purpose.SAVE else spotify.saved_tracks()

    account.refresh_from_db()
    assert [one for one in Purpose if not scopes.has(account, one)] == [refused]
