"""Services that change accounts: sign-up, consent, Spotify, API tokens, export, deletion."""

import secrets
import shutil
import zipfile
from datetime import timedelta
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from social_django.models import UserSocialAuth

from accounts import personal_data, selectors
from accounts.models import ApiToken, SpotifyAccount, User
from accounts.spotify.tokens import Grant
from accounts.spotify.types import Profile
from accounts.transactions import atomic_with_retry

# Precision of "last used"; a finer one would write a row on every API call.
LAST_USED_STEP = timedelta(minutes=1)

# True of every new password: sessions carry a hash of it, and User.save() revokes the tokens.
OTHERS_ENDED = "Other devices are signed out, and your old API tokens no longer work."


class EmailTaken(Exception):
    """Another account has that address."""


class OnlyWayIn(Exception):
    """The user couldn't sign in without Spotify."""


class PasswordReplaced(Exception):
    """The password was replaced since the user signed in with it."""


class SpotifyInUse(Exception):
    """The Spotify account is connected to another user, or the user has another one."""


def sign_up(*, email: str, password: str) -> User:
    """Create a user with an address and password that a form has validated.

    Raises EmailTaken if the address is in use.
    """
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password)
    except IntegrityError as error:
        raise EmailTaken from error


def set_password_sign_in(*, user: User, email: str, password: str) -> User:
    """Add an address and password to a user who signed up with Spotify.

    Raises EmailTaken if the address is in use.
    """
    user.email = User.objects.normalize_email(email)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "password"])
    except IntegrityError as error:
        raise EmailTaken from error
    return user


@transaction.atomic
def record_faces_consent(*, user: User, agreed: bool) -> User:
    """Record whether the user lets Storify read faces, and when they decided.

    A no deletes everything read from faces so far.
    """
    user.faces_consent = agreed
    user.faces_consent_at = timezone.now()
    user.save(update_fields=["faces_consent", "faces_consent_at"])
    if not agreed:
        for part in personal_data.parts():
            if part.erase_faces:
                part.erase_faces(user)
    return user


@transaction.atomic
def record_improve_consent(*, user: User, agreed: bool) -> User:
    """Record whether staff may review the user's photos to improve tagging.

    A no takes them out of every review at once, and out of all later training data.
    """
    user.improve_consent = agreed
    user.improve_consent_at = timezone.now()
    user.save(update_fields=["improve_consent", "improve_consent_at"])
    for part in personal_data.parts():
        if part.share:
            part.share(user)
    return user


@transaction.atomic
def connect_spotify(*, user: User, profile: Profile, grant: Grant) -> SpotifyAccount:
    """Store a new grant, replacing an older one of the same Spotify account.

    Raises SpotifyInUse if either side is already connected to another account.
    """
    taken = SpotifyAccount.objects.select_for_update().filter(
        Q(account_id=profile.account_id) | Q(user=user)
    )
    if any(other.user_id != user.pk or other.account_id != profile.account_id for other in taken):
        raise SpotifyInUse
    account, _ = SpotifyAccount.objects.update_or_create(
        user=user,
        defaults={
            "account_id": profile.account_id,
            "display_name": profile.display_name,
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token or "",
            "expires_at": timezone.now() + timedelta(seconds=grant.expires_in),
            "scopes": grant.scopes or "",
            "needs_sign_in": False,
        },
    )
    return account


@atomic_with_retry
def disconnect_spotify(*, user: User) -> User:
    """Delete the user's Spotify tokens and connection, and everything derived from Spotify.

    Raises OnlyWayIn if the user couldn't sign in without Spotify.
    """
    if not selectors.has_password_sign_in(user):
        raise OnlyWayIn
    for part in personal_data.parts():
        if part.erase_spotify:
            part.erase_spotify(user)
    _forget_spotify_name(user)
    SpotifyAccount.objects.filter(user=user).delete()
    UserSocialAuth.objects.filter(user=user, provider="spotify").delete()
    return user


def _forget_spotify_name(user: User) -> None:
    """Clear a display name that came from the Spotify account."""
    account = selectors.spotify_account(user)
    if account and user.display_name == account.display_name:
        user.display_name = ""
        user.save(update_fields=["display_name"])


@transaction.atomic
def issue_api_token(*, user: User, label: str) -> tuple[ApiToken, str]:
    """Create a token and return it with its plain form, which isn't stored.

    Raises PasswordReplaced if the password changed after `user` was loaded: that change revokes
    every token, and would have missed this one.
    """
    unchanged = User.objects.select_for_update().filter(pk=user.pk, password=user.password)
    if unchanged.first() is None:
        raise PasswordReplaced
    plain = secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, label=label, digest=selectors.api_token_digest(plain)
    )
    return token, plain


def revoke_api_token(*, token: ApiToken) -> ApiToken:
    """Revoke a token; it stays listed in the user's export."""
    token.revoked_at = token.revoked_at or timezone.now()
    token.save(update_fields=["revoked_at"])
    return token


def touch_api_token(*, token: ApiToken) -> ApiToken:
    """Record that the token was used, at most once a minute."""
    now = timezone.now()
    ApiToken.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP), pk=token.pk
    ).update(last_used_at=now)
    return token


def export_account(*, user: User, out: BinaryIO) -> BinaryIO:
    """Write everything stored about a user to `out` as a zip, one file at a time."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("account.json", selectors.account_json(user))
        for part in personal_data.parts():
            for path, content in part.export(user):
                _add(archive, path, content)
    return out


def _add(archive: zipfile.ZipFile, path: str, content: bytes | BinaryIO) -> None:
    if isinstance(content, bytes):
        archive.writestr(path, content)
        return
    with archive.open(path, "w", force_zip64=True) as entry:
        shutil.copyfileobj(content, entry)


@atomic_with_retry
def delete_account(*, user: User) -> None:
    """Delete a user with everything that every app stores about them."""
    User.objects.filter(pk=user.pk).delete()
