"""Everything that changes what is known about a person."""

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

# How exactly "last used" is known; finer would write a row on every call of the API.
LAST_USED_STEP = timedelta(minutes=1)

# What happens with every new password: sessions carry a hash of it, User.save() ends the tokens.
OTHERS_ENDED = "Other devices are signed out, and API tokens made before no longer work."


class EmailTaken(Exception):
    """Somebody signed up with that address a moment ago."""


class OnlyWayIn(Exception):
    """Without Spotify this person could never sign in again."""


class PasswordReplaced(Exception):
    """Who asks proved themselves with a password that has been replaced since."""


class SpotifyInUse(Exception):
    """That Spotify account belongs to somebody else here, or this person has another one."""


def sign_up(*, email: str, password: str) -> User:
    """Make an account with an e-mail address and a password that forms have checked."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password)
    except IntegrityError as error:
        raise EmailTaken from error


def set_password_sign_in(*, user: User, email: str, password: str) -> User:
    """Give somebody who came through Spotify a second way in."""
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
    """Keep the answer to the notice about faces, and when it was given.

    A no deletes what was read from faces before.
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
def connect_spotify(*, user: User, profile: Profile, grant: Grant) -> SpotifyAccount:
    """Store a fresh grant for a person, over an older one of the same Spotify account.

    Raises SpotifyInUse where either side is already connected elsewhere.
    """
    taken = SpotifyAccount.objects.select_for_update().filter(
        Q(account_id=profile.account_id) | Q(user=user)
    )
    if any(one.user_id != user.pk or one.account_id != profile.account_id for one in taken):
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
    """Forget Spotify at once: tokens, link, and whatever other apps derived from it.

    Raises OnlyWayIn for somebody who could not sign in any more.
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
    """A name that came with the Spotify account goes with it."""
    account = selectors.spotify_account(user)
    if account and user.display_name == account.display_name:
        user.display_name = ""
        user.save(update_fields=["display_name"])


@transaction.atomic
def issue_api_token(*, user: User, label: str) -> tuple[ApiToken, str]:
    """Make a token; its plain form is returned here and can never be seen again.

    Raises PasswordReplaced where `user` was read before a change of password, which would end the
    token, had it been a moment faster.
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
    """End a token now; it stays listed in the person's export."""
    token.revoked_at = token.revoked_at or timezone.now()
    token.save(update_fields=["revoked_at"])
    return token


def touch_api_token(*, token: ApiToken) -> ApiToken:
    """Note that the token was used, at most once a minute."""
    now = timezone.now()
    ApiToken.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP), pk=token.pk
    ).update(last_used_at=now)
    return token


def export_account(*, user: User, out: BinaryIO) -> BinaryIO:
    """Write everything known about a person as a zip, file by file, so that photos never pile up
    in memory."""
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
    """Delete a person with everything every app keeps about them."""
    User.objects.filter(pk=user.pk).delete()
