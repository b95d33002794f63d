"""Links that prove who opened a mail: signed, and good for a day.

A link carries everything that it stands for, so that nothing is stored about people who never open
theirs.
"""

from dataclasses import asdict, dataclass

from django.core import signing

SECONDS = 24 * 60 * 60
SALT = "accounts.mail.claims"


@dataclass(frozen=True)
class Claim:
    """Whoever has the link reads mail at `email` and wants to sign in with it."""

    email: str
    goal: str = ""
    user_pk: int | None = None
    """The account that gets the address; None makes a new one."""

    def sign(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)


def read(token: str) -> Claim | None:
    """The claim that was signed as `token`; None where it is too old or somebody made it up."""
    try:
        return Claim(**signing.loads(token, salt=SALT, max_age=SECONDS))
    except signing.BadSignature:
        return None
