"""The sandbox's made-up listeners, some of whom trigger errors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    key: str
    display_name: str
    about: str
    # How many songs they have saved, and which of the generated songs is the first of them.
    n_saved: int = 0
    # How many they play without having saved them.
    n_heard: int = 0
    first_song: int = 0
    # Whether they're on the app's allow-list; others get 403 everywhere.
    on_allow_list: bool = True
    # Whether the app's owner has Premium; without, the app is closed.
    owner_has_premium: bool = True
    # Whether a refresh returns a new refresh token; Spotify usually returns none.
    rotates: bool = False
    # Whether their permission has expired: a refresh answers invalid_grant.
    expired: bool = False
    # Retry-After in seconds of the 429 that answers API calls; 0 for none.
    retry_after: int = 0
    # Which calls it answers: every one, or every so manieth.
    limit_every: int = 1
    quota: bool = False

    @property
    def account_id(self) -> str:
        return f"a{self.display_name.replace(' ', '')}"

    @property
    def id(self) -> str:
        return f"31sandbox{self.key}"

    @property
    def access_seconds(self) -> int:
        """Lifetime of an access token; short if the refresh is to fail."""
        return 30 if self.expired else 3600

    @property
    def is_trouble(self) -> bool:
        closed = not self.on_allow_list or not self.owner_has_premium
        return closed or self.expired or self.retry_after > 0


LISTENERS = {
    listener.key: listener
    for listener in (
        Listener(
            "ines",
            "Ines Duarte",
            "500 saved tracks and a few playlists, titles in five scripts.",
            n_saved=500,
            n_heard=20,
        ),
        Listener("kofi", "Kofi Mensah", "120 saved tracks.", n_saved=120, first_song=700),
        Listener(
            "vera",
            "Vera Hoarding",
            "5,000 saved tracks.",
            n_saved=5000,
            first_song=400,
        ),
        Listener(
            "mira",
            "Mira Solberg",
            "Plays a lot, but has saved nothing yet.",
            n_heard=60,
            first_song=3000,
        ),
        Listener(
            "tom", "Tom Okafor", "New at Spotify: nothing saved, nothing played.", rotates=True
        ),
        Listener(
            "nora",
            "Nora Uninvited",
            "Not on the app's allow-list: Spotify answers 403.",
            on_allow_list=False,
        ),
        Listener(
            "pia",
            "Pia Unpaid",
            "The app's owner has no Premium: Spotify answers 403.",
            owner_has_premium=False,
        ),
        Listener(
            "gus",
            "Gus Lapsed",
            "Authorised more than six months ago: refreshing answers invalid_grant.",
            expired=True,
        ),
        Listener(
            "milo",
            "Milo Stutter",
            "60 saved tracks; every third call answers 429: wait 2 seconds.",
            n_saved=60,
            first_song=2000,
            retry_after=2,
            limit_every=3,
        ),
        Listener(
            "bea",
            "Bea Busy",
            "Every call after signing in answers 429: wait 20 seconds.",
            retry_after=20,
        ),
        Listener(
            "quin",
            "Quin Quota",
            "Every call after signing in answers 429 with QUOTA_EXCEEDED: wait 13 hours.",
            retry_after=13 * 3600,
            quota=True,
        ),
    )
}
