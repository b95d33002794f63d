"""How long suggest_tracks takes over the catalogue in this database, and what it overlooks."""

import json
import random
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import User
from ml.mood import MoodTarget
from recommender import selectors
from recommender.engine.scoring import Mood, score_terms, total
from recommender.engine.tracks.content import FloatArray
from recommender.models import Choice, Track
from recommender.ranking import candidate_sources as candidates
from recommender.ranking.candidate_sources import Pool
from recommender.ranking.listener import who_asks
from recommender.services import set_preferences, suggest_tracks
from recommender.services.suggestions import engine_mood
from storify_site.bench.figures import quantile

WARMING = 5  # the first few fill caches that a running site has filled
TOP = 50
LIKED = {"liked_genres": ["rock", "jazz and blues"], "liked_languages": ["en"]}
SPREADS = (0.05, 0.1, 0.14)


class Command(BaseCommand):
    help = "Time suggestions for random moods; what they log is rolled back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=200)
        parser.add_argument(
            "--recall",
            type=int,
            default=0,
            metavar="N",
            help=f"for N moods, how many of the exact best {TOP} are among the candidates",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        with transaction.atomic():
            people = _people()
            milliseconds = _time_suggestions(people, options["n"])
            result = {
                "n": options["n"],
                "tracks": Track.objects.count(),
                "choices": Choice.objects.count(),
                "p50_ms": quantile(milliseconds, 50),
                "p95_ms": quantile(milliseconds, 95),
            }
            if options["recall"]:
                result["recall"] = _recall(people, options["recall"])
            transaction.set_rollback(True)
        self.stdout.write(json.dumps(result))


def _people() -> list[User]:
    """In turn a newcomer, one who said what they like, and people who have saved something."""
    newcomer = get_user_model().objects.get(email="demo@storify.test")
    asked = User.objects.create_user(email="asked@bench.invalid")
    set_preferences(user=asked, **LIKED)
    regulars = User.objects.filter(email__endswith="@bench.test").order_by("pk")[:20]
    return [each for regular in regulars for each in (newcomer, regular, asked, regular)] or [
        newcomer,
        asked,
    ]


def _time_suggestions(people: Sequence[User], n: int) -> list[float]:
    chance, milliseconds = random.Random(0), []
    for turn in range(n + WARMING):
        mood = MoodTarget(chance.random(), chance.random(), ((0.02, 0.0), (0.0, 0.02)))
        started = time.perf_counter()
        suggest_tracks(user=people[turn % len(people)], story_id=uuid4(), mood=mood, n=10)
        milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds[WARMING:]


def _recall(people: Sequence[User], n: int) -> dict[str, float]:
    """Of the best by full score in a scan of everything, the share that the candidates hold."""
    chance, shares = random.Random(1), []
    for turn in range(n):
        variance = SPREADS[turn % len(SPREADS)] ** 2
        mood = MoodTarget(
            chance.uniform(0.1, 0.9), chance.uniform(0.1, 0.9), ((variance, 0.0), (0.0, variance))
        )
        shares.append(_found(people[turn % len(people)], engine_mood(mood)))
    return {
        "n": n,
        "top": TOP,
        "mean": round(float(np.mean(shares)), 4),
        "sd": round(float(np.std(shares)), 4),
        "least": min(shares),
    }


def _found(user: User, mood: Mood) -> float:
    person, story_id, weights = who_asks(user), uuid4(), selectors.ranking_weights()[0]

    def scores(pool: Pool) -> FloatArray:
        return total(score_terms(pool.features, mood=mood, taste=person.taste, weights=weights))

    best: list[tuple[float, bytes]] = []
    for part in candidates.every_track(person=person, story_id=story_id):
        best += zip(scores(part).tolist(), part.ids.tolist(), strict=True)
        best = sorted(best, reverse=True)[:TOP]
    pool = candidates.gather(person=person, story_id=story_id, mood=mood, weights=weights)
    found = {*pool.ids.tolist()}
    return sum(track_id in found for _, track_id in best) / len(best)
