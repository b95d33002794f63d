"""Errors of the Spotify client, with messages that can be shown to people."""

import math
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.spotify.scopes import Purpose

TO_ALLOW = {
    Purpose.LIBRARY: "Allow “Use my Spotify music” on your account page.",
    Purpose.SAVE: "Allow “Save to Spotify” on your account page.",
}


class SpotifyError(Exception):
    """Base of all Spotify errors."""

    def __init__(self, message: str = "Spotify couldn't do that.") -> None:
        super().__init__(message)


class SpotifyUnavailable(SpotifyError):
    """No answer or an unreadable one; trying again later may help."""

    def __init__(self, message: str = "Spotify can't be reached right now.") -> None:
        super().__init__(message)


class NotFound(SpotifyError):
    """Spotify has no such item."""

    def __init__(self, message: str = "Spotify doesn't have that item.") -> None:
        super().__init__(message)


class NeedsSignIn(SpotifyError):
    """The permission has expired or was revoked; only the listener can renew it."""

    def __init__(self) -> None:
        super().__init__("Storify's access to Spotify has expired. Please connect it again.")


class NotAllowed(SpotifyError):
    """Spotify answered 403; the subclasses say why, where it can be told."""

    def __init__(self, message: str = "Spotify doesn't allow this site's app to do that.") -> None:
        super().__init__(message)


class MissingScope(NotAllowed):
    """The listener hasn't allowed this purpose, or has taken it back."""

    def __init__(self, purpose: Purpose) -> None:
        self.purpose = purpose
        super().__init__(f"Storify needs your permission for that. {TO_ALLOW[purpose]}")


class NotOnAllowList(NotAllowed):
    """The app is in development mode, and the listener isn't on its list."""

    def __init__(self) -> None:
        super().__init__(
            "This site's Spotify app is limited to a few people on a list, and your Spotify "
            "account isn't on it. Ask whoever runs this site to add you."
        )


class NotYourPlaylist(NotAllowed):
    """Spotify shows and changes only the listener's own playlists."""

    def __init__(self) -> None:
        super().__init__(
            "That playlist belongs to somebody else, or it's gone. Choose one of your own."
        )


class PublicPlaylist(NotAllowed):
    """Storify asks for the scope that changes private playlists, and for no other."""

    def __init__(self) -> None:
        super().__init__(
            "That playlist is public, and Storify may change only private ones. Make it private at "
            "Spotify, or choose another one."
        )


class PremiumNeeded(NotAllowed):
    """The app's owner, or the listener, has no Premium."""

    def __init__(self) -> None:
        super().__init__(
            "Spotify asks for Premium here. In development mode, whoever owns this site's Spotify "
            "app needs it: ask them to renew theirs."
        )


class RateLimited(SpotifyError):
    """Spotify accepts no calls from this application before `until`.

    `cause` is the message without the wait, for pages that say when it goes on by themselves.
    """

    cause = "Spotify is limiting requests"

    def __init__(self, until: datetime, reason: str = "") -> None:
        self.until = until
        self.reason = reason
        super().__init__(f"{self.cause}; try again in {in_words(until - timezone.now())}.")


class BudgetSpent(RateLimited):
    """Storify's own limit, which keeps calls in reserve for sign-in."""

    cause = "Storify has asked Spotify a lot in a short time"


def in_words(wait: timedelta) -> str:
    """A duration rounded up: minutes up to an hour, hours up to two days, then days."""
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    if minutes <= 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = math.ceil(minutes / 60)
    return f"{hours} hours" if hours <= 48 else f"{math.ceil(hours / 24)} days"
