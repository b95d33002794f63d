"""Create photos to review on a benchmark site."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from stories.models import Analysis, Reason
from stories.review.services.items import add_items, new_item
from storify_site.demo.stories import add_demo_stories

ADDRESS = "reviewed@bench.test"


class Command(BaseCommand):
    help = "Fill a review queue with drawn photos."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=200)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Benchmark photos can only be created with DEBUG on.")
        owner = User.objects.create_user(ADDRESS, faces_consent=True, improve_consent=True)
        add_demo_stories(user=owner, numbers=range(options["n"]))
        analyses = Analysis.objects.filter(story__user=owner)
        add_items(new_item(analysis, Reason.UNCERTAIN, 1.0) for analysis in analyses)
        self.stdout.write(json.dumps({"items": len(analyses)}))
