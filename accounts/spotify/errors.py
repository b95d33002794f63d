"""Everything that can go wrong between Storify and Spotify, as one family."""

from datetime import datetime

from django.utils import timezone


class SpotifyError(Exception):
    """Spotify could not do what was asked; the message is fit to show to people."""

    def __init__(self, message: str = "Spotify did not do what Storify asked it to.") -> None:
        super().__init__(message)


class SpotifyUnavailable(SpotifyError):
    """No answer, or an answer that makes no sense: worth another try later."""

    def __init__(self, message: str = "Spotify cannot be reached at the moment.") -> None:
        super().__init__(message)


class NotFound(SpotifyError):
    def __init__(self, message: str = "Spotify does not know that item.") -> None:
        super().__init__(message)


class NeedsSignIn(SpotifyError):
    """The permission has expired or was taken back: only the listener can renew it."""

    def __init__(self) -> None:
        super().__init__("Please connect Spotify again: its permission for Storify has ended.")


class NotAllowed(SpotifyError):
    """Spotify refuses: closed to this application, or a permission that was not given."""

    def __init__(self, message: str = "Spotify does not allow Storify to do that.") -> None:
        super().__init__(message)


class RateLimited(SpotifyError):
    """Spotify wants no more calls from this application before `until`."""

    def __init__(self, until: datetime, reason: str = "") -> None:
        self.until = until
        self.reason = reason
        when = timezone.localtime(until).strftime("%H:%M on %d %B")
        super().__init__(f"Spotify has had enough of our questions for now; try after {when}.")
