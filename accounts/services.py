"""Services that change accounts: sign-up, consent, Spotify, API tokens, export, deletion."""

import secrets
import shutil
import zipfile
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from social_django.models import UserSocialAuth

from accounts import personal_data, selectors
from accounts.models import ApiToken, SpotifyAccount, User
from accounts.spotify import scopes
from accounts.spotify.scopes import Purpose
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
def connect_spotify(
    *, user: User, profile: Profile, grant: Grant, purpose: Purpose | None = None
) -> SpotifyAccount:
    """Store a new grant of the same Spotify account, and what the user allowed with it.

    Signing in asks for no scope, so an older grant that reaches further stays.
    Raises SpotifyInUse if either side is already connected to another account.
    """
    taken = SpotifyAccount.objects.select_for_update().filter(
        Q(account_id=profile.account_id) | Q(user=user)
    )
    # Linked by its id, if Spotify didn't tell the account_id then.
    same = {profile.account_id, profile.id}
    if any(other.user_id != user.pk or other.account_id not in same for other in taken):
        raise SpotifyInUse
    old = next(iter(taken), None)
    usable = _usable(old) if old else set()
    account, _ = SpotifyAccount.objects.update_or_create(
        user=user,
        defaults={
            "account_id": profile.account_id,
            "spotify_id": profile.id,
            "display_name": profile.display_name,
            **({} if old and _reaches_further(old, grant) else _tokens(grant)),
        },
    )
    for renewed in _usable(account) - usable - {purpose}:
        _renew(account, renewed)
    if purpose and scopes.covers(grant.scopes, purpose):
        _allow(account, purpose)
    return account


def _usable(account: SpotifyAccount) -> set[Purpose]:
    return {one for one in Purpose if scopes.has(account, one) and not account.needs_sign_in}


def _tokens(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token or "",
        "expires_at": timezone.now() + timedelta(seconds=grant.expires_in),
        "scopes": grant.scopes or "",
        "needs_sign_in": False,
    }


def _reaches_further(account: SpotifyAccount, grant: Grant) -> bool:
    """Whether the tokens that we have serve something that the new ones don't."""
    if account.needs_sign_in or not account.refresh_token:
        return False
    return any(
        scopes.has(account, purpose) and not scopes.covers(grant.scopes, purpose)
        for purpose in Purpose
    )


def _allow(account: SpotifyAccount, purpose: Purpose) -> None:
    account.purposes = sorted({*account.purposes, purpose})
    account.save(update_fields=["purposes"])
    for part in personal_data.parts():
        if part.spotify_allowed:
            part.spotify_allowed(account.user, purpose)


def _renew(account: SpotifyAccount, purpose: Purpose) -> None:
    for part in personal_data.parts():
        if part.spotify_renewed:
            part.spotify_renewed(account.user, purpose)


@atomic_with_retry
def withdraw_spotify(*, user: User, purpose: Purpose) -> User:
    """Take back what the user allowed; what was read or kept for it is deleted at once.

    Spotify has no way to give back a single scope: Storify just doesn't use it any more.
    """
    User.objects.select_for_update().get(pk=user.pk)
    account = SpotifyAccount.objects.select_for_update().filter(user=user).first()
    if account:
        account.purposes = [kept for kept in account.purposes if kept != purpose]
        account.save(update_fields=["purposes"])
    _forget(user, purpose)
    return user


@atomic_with_retry
def delete_spotify_copy(*, user: User, purpose: Purpose) -> User:
    """Delete what was read or kept for the purpose, which stays allowed."""
    User.objects.select_for_update().get(pk=user.pk)
    _forget(user, purpose)
    return user


def _forget(user: User, purpose: Purpose) -> None:
    for part in personal_data.parts():
        if part.spotify_withdrawn:
            part.spotify_withdrawn(user, purpose)


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
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
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
