"""Signed links that confirm an e-mail address, valid for a day.

A link carries its own data, so nothing is stored about people who never open theirs.
"""

from dataclasses import asdict, dataclass

from django.core import signing

MAX_AGE_SECONDS = 24 * 60 * 60
SALT = "accounts.mail.claims"


@dataclass(frozen=True)
class Claim:
    """Whoever has the link controls `email` and wants to sign in with it."""

    email: str
    goal: str = ""
    user_pk: int | None = None
    """The user who gets the address; None for a new one."""

    def sign(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)


def read(token: str) -> Claim | None:
    """The claim signed as `token`; None if it has expired or the signature is wrong."""
    try:
        return Claim(**signing.loads(token, salt=SALT, max_age=MAX_AGE_SECONDS))
    except signing.BadSignature:
        return None
