"""Storify's steps in social-auth's sign-in and disconnect pipelines."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpResponse
from social_core.backends.base import BaseAuth
from social_core.exceptions import AuthAssociationError, AuthPolicyError, AuthResponseError
from social_django.strategy import DjangoStrategy

from accounts import services
from accounts.models import User
from accounts.pages.spotify import WORDS
from accounts.spotify import scopes
from accounts.spotify.oauth import asked_for
from accounts.spotify.tokens import Grant
from accounts.spotify.types import Profile

NOT_GRANTED = "Spotify didn't grant everything that needs, so it stays off. Please try again."


def create_user(details: dict[str, Any], user: User | None = None, **_: Any) -> dict[str, Any]:
    """Create a user with a name, but without an address or a password."""
    if user:
        return {"is_new": False}
    name = str(details.get("fullname") or "")[:120]
    return {"is_new": True, "user": User.objects.create_user(display_name=name)}


def store_spotify(
    backend: BaseAuth[HttpResponse], response: dict[str, Any], user: User, **_: Any
) -> None:
    """Store the tokens encrypted, outside social-auth's own table, and what they are for."""
    purpose = asked_for(backend)
    try:
        profile, grant = Profile.from_json(response), Grant.from_json(response)
    except (KeyError, ValueError, TypeError) as error:
        raise AuthResponseError(backend, code="malformed_response", stage="pipeline") from error
    try:
        account = services.connect_spotify(user=user, profile=profile, grant=grant, purpose=purpose)
    except services.SpotifyInUse as error:
        raise AuthAssociationError(backend, code="identity_in_use", stage="pipeline") from error
    backend.strategy.session_set("spotify_purpose", None)
    if purpose:
        request = cast(DjangoStrategy, backend.strategy).request
        granted = scopes.has(account, purpose)
        level = messages.SUCCESS if granted else messages.WARNING
        messages.add_message(request, level, WORDS[purpose].allowed if granted else NOT_GRANTED)


def forget_spotify(backend: BaseAuth[HttpResponse], user: User, **_: Any) -> None:
    """Delete everything from Spotify on a disconnect through social-auth."""
    try:
        services.disconnect_spotify(user=user)
    except services.OnlyWayIn as error:
        raise AuthPolicyError(backend, code="disconnect_disallowed", stage="disconnect") from error
