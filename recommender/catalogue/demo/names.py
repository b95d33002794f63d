"""Invented titles and artist names for demo tracks."""

from __future__ import annotations

import numpy as np

# First words by energy (rows, calm first) and valence (columns, dark first).
_MOODS = (
    (
        ("Pale", "Hollow", "Distant", "Ashen", "Fading"),
        ("Quiet", "Slow", "Drifting", "Early", "Velvet"),
        ("Gentle", "Honeyed", "Sunlit", "Feather", "Lazy"),
    ),
    (
        ("Grey", "Restless", "Lonesome", "Rainy", "Broken"),
        ("Wandering", "Amber", "Open", "Half-Awake", "Passing"),
        ("Golden", "Easy", "Barefoot", "Marigold", "Clear"),
    ),
    (
        ("Iron", "Midnight", "Burning", "Jagged", "Storm"),
        ("Neon", "Racing", "Electric", "Turning", "Northern"),
        ("Dancing", "Bright", "Carnival", "Firework", "Summer"),
    ),
)
_THINGS = (
    "Harbour", "Window", "Orchard", "Letters", "Tram", "Lanterns", "Staircase", "Meadow",
    "Balcony", "River", "Postcards", "Kitchen", "Lighthouse", "Rooftops", "Bicycle", "Garden",
    "Station", "Ferry", "Corridor", "Tide", "Attic", "Market", "Bridge", "Pavement", "Compass",
    "Umbrella", "Courtyard", "Signal", "Arcade", "Horizon",
)  # fmt: skip
_FIRST = (
    "Juniper", "Odd", "Paper", "Tin", "Saltmarsh", "Copper", "Linden", "Nine", "Plum", "Moth",
    "Quill", "Tern", "Bramble", "Cobalt", "Fennel", "Wicker",
)  # fmt: skip
_LAST = ("Assembly", "Cartographers", "& the Ferrymen", "Parlour")


def artist_names() -> list[str]:
    """64 names, always in the same order."""
    return [f"{first} {last}" for last in _LAST for first in _FIRST]


def title_for(*, valence: float, energy: float, seed: int, taken: set[str]) -> str:
    """An unused title that suits the mood."""
    rng = np.random.default_rng(seed)
    words = _MOODS[min(int(energy * 3), 2)][min(int(valence * 3), 2)]
    titles = [f"{word} {thing}" for word in words for thing in _THINGS]
    return next(str(title) for title in rng.permutation(titles) if title not in taken)
