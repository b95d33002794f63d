"""python manage.py fill_features"""

import json
import math
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors, services
from recommender.catalogue.feature_providers import NAMES, providers


class Command(BaseCommand):
    help = (
        "Fill in missing audio features from the providers until none knows more. "
        "Stop it with Ctrl-C at any time; the next run, or the worker, continues from there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=math.inf, help="when to stop")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        available = providers()
        if not available:
            chosen = ", ".join(settings.FEATURE_PROVIDERS) or "no provider"
            raise CommandError(
                f"FEATURE_PROVIDERS names {chosen}; none of them is available. Known providers are "
                f"{', '.join(NAMES)}; spotify is asked only while somebody's own library is read."
            )
        filled = services.fill_features(providers=available, seconds=options["seconds"])
        lacking = selectors.count_tracks_without_mood()
        result = {
            "asked": [provider.name for provider in available],
            "filled": filled,
            "lacking": lacking,
        }
        words = f"{filled} tracks filled in, {lacking} still lack features."
        self.stdout.write(json.dumps(result) if options["json"] else words)
