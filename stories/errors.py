"""Errors of story services; `str()` is for people, `code` for programs."""

from __future__ import annotations

import errno

# A full disk, or a full quota.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class StoryError(Exception):
    code = "story_error"


class IdempotencyConflictError(StoryError):
    code = "idempotency_conflict"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was already used for another photo or caption. "
            "Use a new key for a new story."
        )


class StoryGoneError(StoryError):
    code = "story_gone"

    def __init__(self) -> None:
        super().__init__(
            "The story or its account was deleted during the upload. Nothing was stored."
        )


class UploadsBusyError(StoryError):
    code = "busy"
    retry_after = 10

    def __init__(self) -> None:
        super().__init__(
            "Storify is processing too many uploads right now. Please send this one again in a few "
            "seconds."
        )


class StoryNotReadyError(StoryError):
    code = "story_not_ready"

    def __init__(self) -> None:
        super().__init__("This story hasn't been analysed yet. Please wait until it's ready.")


class StoryNotFailedError(StoryError):
    code = "story_not_failed"

    def __init__(self) -> None:
        super().__init__("Only a story whose analysis failed can be retried.")


class UnknownTrackError(StoryError):
    code = "unknown_track"

    def __init__(self) -> None:
        super().__init__("There's no such track.")


class NotOnSpotifyError(StoryError):
    code = "not_on_spotify"

    def __init__(self) -> None:
        super().__init__("This track isn't on Spotify, so it can't be saved there.")


class NothingChosenError(StoryError):
    code = "nothing_chosen"

    def __init__(self) -> None:
        super().__init__("Save a track with this story first.")


class ChoiceChangedError(StoryError):
    code = "choice_changed"

    def __init__(self) -> None:
        super().__init__(
            "The saved track has changed meanwhile, so nothing was done. This is the present one."
        )


class NotConnectedError(StoryError):
    code = "not_connected"

    def __init__(self) -> None:
        super().__init__("Connect Spotify first. You can do that on your account page.")


class UnknownPlaylistError(StoryError):
    code = "unknown_playlist"

    def __init__(self) -> None:
        super().__init__("You have no such private playlist on Spotify. Choose another one.")


class UnknownLabelError(StoryError):
    code = "unknown_label"

    def __init__(self, kind: str) -> None:
        super().__init__(f"There's no such {kind}.")


class ClaimLostError(Exception):
    """The row was deleted or claimed by another worker; the result is dropped."""
