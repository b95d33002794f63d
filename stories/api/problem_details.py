"""Map story errors to HTTP responses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.exceptions import NotFound as NoSuchPage

from accounts.spotify.errors import NeedsSignIn, NotAllowed, NotFound, RateLimited, SpotifyError
from stories.errors import (
    IdempotencyConflictError,
    NotConnectedError,
    NothingChosenError,
    NotOnSpotifyError,
    StoryGoneError,
    StoryNotFailedError,
    StoryNotReadyError,
    UnknownPlaylistError,
    UnknownTrackError,
    UploadsBusyError,
)
from stories.models import Story
from stories.uploads.photos import UploadError

_ASK_AGAIN = 30  # seconds
_UPLOAD_STATUS = {
    "empty": 400,
    "too_large": 413,
    "too_many_pixels": 413,
    "unsupported_type": 415,
    "unreadable": 422,
    "no_picture": 422,
    "too_long": 422,
    "too_costly": 422,
}


class Refused(APIException):
    """An error response with a status, a detail for people and a code for programs."""

    def __init__(self, status: int, detail: str, code: str, wait: int | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.wait = wait  # REST framework's name for what becomes Retry-After


@contextmanager
def as_problems() -> Iterator[None]:
    """Translate errors of services into exceptions of REST framework."""
    try:
        yield
    except UploadError as error:
        raise Refused(_UPLOAD_STATUS[error.code], str(error), error.code) from error
    except UploadsBusyError as error:
        raise Refused(503, str(error), error.code, wait=error.retry_after) from error
    except IdempotencyConflictError as error:
        raise Refused(422, str(error), error.code) from error
    except (StoryNotReadyError, StoryNotFailedError) as error:
        raise Refused(409, str(error), error.code) from error
    except StoryGoneError as error:
        raise Refused(410, str(error), error.code) from error
    except UnknownTrackError as error:
        raise ValidationError({"track_id": [str(error)]}) from error
    except UnknownPlaylistError as error:
        raise ValidationError({"to": [str(error)]}) from error
    except (NotConnectedError, NothingChosenError, NotOnSpotifyError) as error:
        raise Refused(409, str(error), error.code) from error
    except SpotifyError as error:
        raise _spotify_problem(error) from error
    except Story.DoesNotExist as error:
        raise NoSuchPage("There's no such story.") from error


def _spotify_problem(error: SpotifyError) -> APIException:
    if isinstance(error, (NeedsSignIn, NotAllowed)):
        return Refused(403, str(error), "spotify_not_allowed")
    if isinstance(error, NotFound):
        return ValidationError({"spotify_id": [str(error)]})
    wait = _ASK_AGAIN
    if isinstance(error, RateLimited):
        wait = max(1, math.ceil((error.until - timezone.now()).total_seconds()))
    return Refused(503, str(error), "spotify_away", wait=wait)
