"""The sandbox's made-up listeners, some of whom trigger errors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    key: str
    account_id: str
    id: str
    display_name: str
    about: str
    # Whether they're on the app's allow-list; others get 403 everywhere.
    on_allow_list: bool = True
    # Whether a refresh returns a new refresh token; Spotify usually returns none.
    rotates: bool = False
    # Whether their permission has expired: a refresh answers invalid_grant.
    expired: bool = False
    # Retry-After in seconds of the 429 that answers every API call; 0 for none.
    retry_after: int = 0
    quota: bool = False

    @property
    def access_seconds(self) -> int:
        """Lifetime of an access token; short if the refresh is to fail."""
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
            "Authorised more than six months ago: refreshing answers invalid_grant.",
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
