"""The sandbox's made-up songs: a few with a name, thousands for large libraries."""

import hashlib
from dataclasses import dataclass
from functools import cache

from accounts.spotify.app import SANDBOX_ID_PREFIX

N_GENERATED = 5400
_THINGS = (
    "Harbour", "Window", "Orchard", "Letters", "Staircase", "Meadow", "Balcony", "River",
    "Postcards", "Lighthouse", "Rooftops", "Bicycle", "Garden", "Station", "Corridor", "Attic",
    "Market", "Bridge", "Pavement", "Compass", "Umbrella", "Courtyard", "Signal", "Arcade",
    "Horizon", "Platform", "Curtains", "Archive", "Fountain", "Cinema",
)  # fmt: skip
_BETWEEN = ("by the", "after the", "under the", "beyond the", "before the", "without the")
_FIRST = ("Juniper", "Odd", "Saltmarsh", "Copper", "Nine", "Plum", "Quill", "Tern", "Wicker")
_LAST = ("Assembly", "Cartographers", "Parlour", "Department", "Weather", "Quartet")
GENRES = ("folk", "chamber pop", "house", "funk", "indie rock", "ambient", "soul", "drum and bass")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62_id(text: str, length: int = 22) -> str:
    """An identifier like Spotify's, letters and digits, derived from the text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_ALPHABET[byte % 62] for byte in digest[:length])


def sandbox_id(text: str) -> str:
    """An identifier that tells that the sandbox made it up."""
    return SANDBOX_ID_PREFIX + base62_id(text, 22 - len(SANDBOX_ID_PREFIX))


@dataclass(frozen=True)
class Song:
    title: str
    artist: str
    album: str
    released: str
    seconds: int
    genre: str = "folk"
    # Another release of the same recording: another id, the same ISRC.
    edition: str = ""
    playable: bool = True

    @property
    def id(self) -> str:
        return sandbox_id(f"track {self.title} {self.artist} {self.edition}")

    @property
    def isrc(self) -> str:
        number = int(hashlib.sha256(f"{self.title} {self.artist}".encode()).hexdigest(), 16)
        return f"QZSBX{number % 10_000_000:07d}"

    @property
    def uri(self) -> str:
        return f"spotify:track:{self.id}"


NAMED = (
    Song("Paper Lanterns", "The Slow Tram", "Night Depot", "2021-03-12", 214),
    Song("Kitchen Radio", "The Slow Tram", "Night Depot", "2021-03-12", 187),
    Song("Low Tide Letter", "Anneke Brandt", "Saltwater Hours", "2019-09-06", 243),
    Song("A Coat for Rain", "Anneke Brandt", "Saltwater Hours", "2019-09-06", 201),
    Song("Run the Embankment", "Ferrous & Gold", "Pulse Width", "2024-05-31", 176, "house"),
    Song("Neon Bakery", "Ferrous & Gold", "Pulse Width", "2024-05-31", 195, "house"),
    Song("Seven Dancing Cousins", "Orkestar Polovina", "Big Table", "2018-07-20", 231, "funk"),
    Song("Grandmother's Waltz", "Orkestar Polovina", "Big Table", "2018-07-20", 258),
    Song("Static in the Choir", "Hollow Meridian", "Grey Signal", "2023-11-03", 322, "ambient"),
    Song("Teeth", "Hollow Meridian", "Grey Signal", "2023-11-03", 168, "indie rock"),
    Song("Sunday, Undecided", "Lio Marrow", "Soft Furniture", "2025-02-14", 209, "soul"),
    Song("Sleeping on the Ferry", "Lio Marrow", "Soft Furniture", "2025-02-14", 274, "ambient"),
)
# What makes programs stumble that expect plain songs.
ODD = (
    Song("Ночной трамвай", "Ольга Вересова", "Огни", "2017-10-01", 233),
    Song("夜の港", "霧島ミナト", "灯台", "2022-06-15", 251, "ambient"),
    Song("ليالي الميناء", "سلمى نور", "مدن", "2016", 305, "soul"),
    Song("🌧️🌧️", "Ärgerlich & Söhne", "Straße", "2020-02", 150, "indie rock"),
    Song("Twice Pressed", "Copper Department", "First Edition", "2011-04-04", 222, "soul"),
    Song("Twice Pressed", "Copper Department", "Anniversary", "2021-04-04", 222, "soul", "2"),
    Song("Not in Your Country", "Tern Weather", "Borders", "2014-08-08", 199, playable=False),
    Song("W" + "h" * 180 + "y", "Nine Quartet", "Breath", "2015-05-05", 61, "ambient"),
)


@cache
def generated() -> tuple[Song, ...]:
    """Thousands of songs, always the same."""
    return tuple(_generate(number) for number in range(N_GENERATED))


def _generate(number: int) -> Song:
    # 30 x 6 x 30 titles; the step spreads neighbours over all of them.
    place = number * 1009 % N_GENERATED
    first, rest = divmod(place, len(_BETWEEN) * len(_THINGS))
    between, second = divmod(rest, len(_THINGS))
    artist = f"{_FIRST[number % 9]} {_LAST[number // 9 % 6]}"
    year = 1968 + number * 7 % 58
    return Song(
        title=f"{_THINGS[first]} {_BETWEEN[between]} {_THINGS[second]}",
        artist=artist,
        album=f"{artist}, {year}",
        released=f"{year}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        seconds=120 + number * 13 % 240,
        genre=GENRES[number % len(GENRES)],
    )


@cache
def by_id() -> dict[str, Song]:
    return {song.id: song for song in (*NAMED, *ODD, *generated())}
