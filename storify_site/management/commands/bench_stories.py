"""Create people with many analysed stories on a benchmark site."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_api_token
from stories.models import Analysis, Photo, Story
from storify_site.demo.stories import add_demo_stories

BATCH = 1000
TEMPLATES = 12


class Command(BaseCommand):
    help = "Create people with API tokens and copies of demo stories; print the tokens as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=500, help="how many stories in all")
        parser.add_argument("--people", type=int, default=50)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Benchmark stories can only be created with DEBUG on.")
        people = [
            User.objects.create_user(f"load-{number}@bench.test", faces_consent=True)
            for number in range(options["people"])
        ]
        copies = _copies(_templates(), people, options["n"])
        while batch := list(islice(copies, BATCH)):
            for model, rows in zip((Story, Photo, Analysis), zip(*batch, strict=True), strict=True):
                model._default_manager.bulk_create(rows)
        tokens = [issue_api_token(user=person, label="load")[1] for person in people]
        self.stdout.write(json.dumps({"stories": Story.objects.count(), "tokens": tokens}))


def _templates() -> list[Story]:
    owner = User.objects.create_user("templates@bench.test", faces_consent=True)
    add_demo_stories(user=owner, numbers=range(TEMPLATES))
    return list(Story.objects.filter(user=owner).select_related("photo", "analysis"))


def _copies(
    templates: list[Story], people: list[User], n: int
) -> Iterator[tuple[Story, Photo, Analysis]]:
    """Stories with photos and analyses, one a quarter of an hour; photos share their files."""
    now = timezone.now()
    for number in range(n):
        old = templates[number % len(templates)]
        when = now - timedelta(minutes=15) * (number // len(people) + 1)
        story = Story(
            id=uuid4(),
            user=people[number % len(people)],
            caption=old.caption,
            status=Story.Status.READY,
            created_at=when,
            ready_at=when,
        )
        yield story, _copy(old.photo, story), _copy(old.analysis, story)


def _copy(row: Any, story: Story) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**values | {"story_id": story.pk})
