"""Time ranking and logging on this database's catalogue, and measure candidate recall."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib.auth import get_user_model
from django.db import transaction

from accounts.models import User
from ml.mood import Gaussian, MoodTarget
from recommender import selectors
from recommender.engine.scoring import score_terms, total
from recommender.engine.tracks.content import FloatArray
from recommender.models import Choice, LibraryTrack, MusicPreferences, Track
from recommender.ranking import candidate_sources as candidates
from recommender.ranking.candidate_sources import Pool
from recommender.ranking.listener import Listener, get_listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.rank import rank_tracks
from recommender.services import log_suggestions
from recommender.services.taste import recount_taste
from storify_site.bench.figures import quantile

WARMING = 5  # the first few fill caches
TOP = 50
LIKED = {"liked_genres": ["rock", "jazz and blues"], "liked_languages": ["en"]}
SPREADS = (0.05, 0.1, 0.14)


@dataclass(frozen=True)
class Person:
    """An account, with preferences to take in place of its own."""

    user: User
    preferences: MusicPreferences | None = None

    def listener(self) -> Listener:
        listener = get_listener(self.user)
        return replace(listener, preferences=self.preferences) if self.preferences else listener


def time_ranking(n: int, n_recall: int) -> dict[str, Any]:
    """Time `n` suggestions for random moods; nothing is kept.

    For `n_recall` moods, also measure how many of the exact best are among the candidates.
    """
    people = _people()
    with_library = _with_library()
    ranking, logging = _time_suggestions(people, n)
    recall = {"recall": _recall(people, n_recall)} if n_recall else {}
    return {
        "n": n,
        "tracks": Track.objects.count(),
        "choices": Choice.objects.count(),
        **_quantiles("", [sum(both) for both in zip(ranking, logging, strict=True)]),
        **_quantiles("rank_", ranking),
        **_quantiles("log_", logging),
        **recall,
        **({"library": _time_library(with_library, n)} if with_library else {}),
    }


def _with_library() -> list[Person]:
    """Those of the people who have a library of their own."""
    users = User.objects.filter(email__endswith="@bench.test", library__isnull=False)
    people = [Person(user) for user in users.distinct().order_by("pk")]
    for person in people:
        recount_taste(user=person.user)
    return people


def _time_library(people: Sequence[Person], n: int) -> dict[str, Any]:
    """The same for people with a library, in each scope; and whose music a mix is of."""
    held = LibraryTrack.objects.filter(user=people[0].user).count()
    figures: dict[str, Any] = {"n": n, "tracks": held}
    for music in MusicScope:
        ranking, logging = _time_suggestions(people, n, music)
        both = [sum(parts) for parts in zip(ranking, logging, strict=True)]
        figures[music.value] = _quantiles("", both)
    return {**figures, "own_share_of_mix": _own_share(people, n)}


def _own_share(people: Sequence[Person], n: int) -> float:
    chance, shares = random.Random(2), []
    for turn in range(n):
        mood = MoodTarget(chance.random(), chance.random(), ((0.02, 0.0), (0.0, 0.02)))
        listener = people[turn % len(people)].listener()
        listed = rank_tracks(listener=listener, story_id=uuid4(), mood=mood).tracks
        shares.append(float(np.mean([not place.track.is_shared for place in listed])))
    return round(float(np.mean(shares)), 3)


def _people() -> list[Person]:
    """In turn a newcomer, one who named music they like, and people who have saved something."""
    users = get_user_model().objects
    newcomer = Person(users.get(email="demo@storify.test"))
    newcomer_with_likes = Person(newcomer.user, MusicPreferences(**LIKED))
    without_library = users.filter(email__endswith="@bench.test", library=None)
    regulars = without_library.order_by("pk")[:20]
    for regular in regulars:
        recount_taste(user=regular)
    turns = [(newcomer, Person(user), newcomer_with_likes, Person(user)) for user in regulars]
    return [person for turn in turns for person in turn] or [newcomer, newcomer_with_likes]


def _time_suggestions(
    people: Sequence[Person], n: int, music: MusicScope = MusicScope.MIX
) -> tuple[list[float], list[float]]:
    """Milliseconds of ranking, and of logging, which is rolled back."""
    chance, ranking_ms, logging_ms = random.Random(0), [], []
    for turn in range(n + WARMING):
        person, story_id = people[turn % len(people)], uuid4()
        mood = MoodTarget(chance.random(), chance.random(), ((0.02, 0.0), (0.0, 0.02)))
        started = time.perf_counter()
        ranking = rank_tracks(listener=person.listener(), story_id=story_id, mood=mood, music=music)
        ranked = time.perf_counter()
        with transaction.atomic():
            log_suggestions(user=person.user, story_id=story_id, ranking=ranking)
            logged = time.perf_counter()
            transaction.set_rollback(True)
        ranking_ms.append((ranked - started) * 1000)
        logging_ms.append((logged - ranked) * 1000)
    return ranking_ms[WARMING:], logging_ms[WARMING:]


def _quantiles(prefix: str, milliseconds: list[float]) -> dict[str, float]:
    return {f"{prefix}p{q}_ms": quantile(milliseconds, q) for q in (50, 95)}


def _recall(people: Sequence[Person], n: int) -> dict[str, float]:
    """Share of the best tracks, by full score over the whole catalogue, among the candidates."""
    chance, shares = random.Random(1), []
    for turn in range(n):
        variance = SPREADS[turn % len(SPREADS)] ** 2
        mood = MoodTarget(
            chance.uniform(0.1, 0.9), chance.uniform(0.1, 0.9), ((variance, 0.0), (0.0, variance))
        )
        shares.append(_found(people[turn % len(people)], mood.gaussian))
    return {
        "n": n,
        "top": TOP,
        "mean": round(float(np.mean(shares)), 4),
        "sd": round(float(np.std(shares)), 4),
        "least": min(shares),
    }


def _found(person: Person, mood: Gaussian) -> float:
    listener, story_id, weights = person.listener(), uuid4(), selectors.ranking_weights()[0]

    def scores(pool: Pool) -> FloatArray:
        return total(score_terms(pool.features, mood=mood, taste=listener.taste, weights=weights))

    best: list[tuple[float, bytes]] = []
    for part in candidates.every_track(listener=listener, story_id=story_id):
        best += zip(scores(part).tolist(), part.ids.tolist(), strict=True)
        best = sorted(best, reverse=True)[:TOP]
    pool = candidates.gather(listener=listener, story_id=story_id, mood=mood, weights=weights)
    gathered = {*pool.ids.tolist()}
    return sum(track_id in gathered for _, track_id in best) / len(best)
