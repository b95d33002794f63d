"""The made-up people who use the sandbox, each with a way of their own to behave."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    key: str
    account_id: str
    id: str
    display_name: str
    about: str
    # Whether the app's allow-list has them; the others get 403 everywhere.
    on_allow_list: bool = True
    # Whether renewing gives a new refresh token; mostly Spotify gives none.
    rotates: bool = False
    # Whether their permission has run out: renewing answers invalid_grant.
    expired: bool = False
    # Seconds of Retry-After with which every call of the API is answered.
    retry_after: int = 0
    quota: bool = False

    @property
    def access_seconds(self) -> int:
        """How long an access token is said to live: short where renewing is the point."""
        return 30 if self.expired else 3600

    @property
    def is_trouble(self) -> bool:
        return not self.on_allow_list or self.expired or self.retry_after > 0


LISTENERS = {
    listener.key: listener
    for listener in (
        Listener(
            "mira", "aMiraSolberg", "31sandboxmira", "Mira Solberg", "Folk and slow mornings."
        ),
        Listener(
            "tom",
            "aTomOkafor",
            "31sandboxtom",
            "Tom Okafor",
            "House, funk, long runs.",
            rotates=True,
        ),
        Listener(
            "nora",
            "aNoraUninvited",
            "31sandboxnora",
            "Nora Uninvited",
            "Not on the app's allow-list: Spotify answers 403.",
            on_allow_list=False,
        ),
        Listener(
            "gus",
            "aGusLapsed",
            "31sandboxgus",
            "Gus Lapsed",
            "Permission older than six months: renewing answers invalid_grant.",
            expired=True,
        ),
        Listener(
            "bea",
            "aBeaBusy",
            "31sandboxbea",
            "Bea Busy",
            "Every call after signing in answers 429: wait 20 seconds.",
            retry_after=20,
        ),
        Listener(
            "quin",
            "aQuinQuota",
            "31sandboxquin",
            "Quin Quota",
            "Every call after signing in answers 429 with QUOTA_EXCEEDED: wait 10 minutes.",
            retry_after=600,
            quota=True,
        ),
    )
}
