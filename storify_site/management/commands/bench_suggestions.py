"""How long suggest_tracks takes over the catalogue in this database."""

import json
import random
import time
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from ml.mood import MoodTarget
from recommender.models import Track
from recommender.services import suggest_tracks
from storify_site.bench.figures import quantile


class Command(BaseCommand):
    help = "Time suggestions for random moods; what they log is rolled back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=200)
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        milliseconds = _time_suggestions(options["n"])
        result = {
            "n": options["n"],
            "tracks": Track.objects.count(),
            "p50_ms": quantile(milliseconds, 50),
            "p95_ms": quantile(milliseconds, 95),
        }
        self.stdout.write(json.dumps(result))


def _time_suggestions(n: int) -> list[float]:
    random_moods = random.Random(0)
    person = get_user_model().objects.get(email="demo@storify.test")
    milliseconds = []
    with transaction.atomic():
        for _ in range(n + 5):
            mood = MoodTarget(
                random_moods.random(), random_moods.random(), ((0.02, 0.0), (0.0, 0.02))
            )
            started = time.perf_counter()
            suggest_tracks(user=person, story_id=uuid4(), mood=mood, n=10)
            milliseconds.append((time.perf_counter() - started) * 1000)
        transaction.set_rollback(True)
    return milliseconds[5:]  # the first few fill caches that a running site has filled
