"""Put the terms of a score into words."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.engine.mood_words import point_words

# A term below this makes no difference that a person would notice.
NOTICEABLE = 0.05

# Nearest to match, to lift, to contrast. The story's own mood isn't named: it may be uncertain.
_TOWARDS = ("which suits your story", "a lift from your story", "in contrast to your story")
_UNKNOWN = ("It suits your story", "A lift from your story", "In contrast to your story")
_NOTHING_STANDS_OUT = "A little different, for variety"
_PLAIN = {
    "taste": "Close to what you saved before",
    "affinity": "People with a taste like yours save it",
    "together": "Saved by people who saved what you did",
    "popular": "Popular with many listeners",
    "trend": "Saved by many lately",
    "fresh": "Newly released",
    "liked": "A kind of music that you said you like",
    "library": "From your library",
    "recommended": "Recommended by ReccoBeats to go with your library",
}


def _mood_words(valence: float | None, energy: float | None, steering: float) -> str:
    stop = min(int(steering * len(_TOWARDS)), len(_TOWARDS) - 1)
    if valence is None or energy is None:
        return _UNKNOWN[stop]
    return f"{point_words(valence, energy).word.capitalize()}, {_TOWARDS[stop]}"


def reason_sentences(
    terms: Mapping[str, float],
    *,
    valence: float | None = None,
    energy: float | None = None,
    steering: float = 0.0,
) -> list[str]:
    """Return a sentence for each term that raised the track's score, the largest first.

    Without any, return one sentence that says so. `terms` come from `scoring.score_terms`.
    `valence` and `energy` in [0, 1] are the track's; with `steering`, as passed to
    `steering.steer`, they word the mood reason.
    """
    lifted = sorted(
        (name for name, value in terms.items() if value >= NOTICEABLE),
        key=lambda name: terms[name],
        reverse=True,
    )
    words = {**_PLAIN, "mood": _mood_words(valence, energy, steering)}
    return [words[name] for name in lifted if name in words] or [_NOTHING_STANDS_OUT]
