"""Load the demo catalogue, demo users and stories to review; for local sites only."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts.models import User
from accounts.services import record_faces_consent, record_improve_consent
from stories.review.export.dataset import split_of
from storify_site.demo.stories import add_demo_stories

PASSWORD = "storify-demo"  # noqa: S105 - public on purpose, and created only with DEBUG on
PEOPLE: list[tuple[str, str, dict[str, bool]]] = [
    ("demo@storify.test", "Demo", {}),
    ("staff@storify.test", "Staff", {"is_staff": True, "is_superuser": True}),
]
# Whose stories are reviewed: not the demo user's, whose history is for one's own photos. One is of
# the people that models are trained on, one of those kept for testing (and so for their audit).
ALBUMS = {
    "album@storify.test": ("train", range(30)),
    "test-album@storify.test": ("test", range(30, 45)),
}


class Command(BaseCommand):
    help = "Load the demo catalogue and users; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo data can only be loaded with DEBUG on.")
        for email, name, flags in PEOPLE:
            _ensure_person(email, name, flags)
        for email, (split, numbers) in ALBUMS.items():
            _ensure_album(email, split, numbers)
        call_command(
            "load_demo_catalogue",
            verbosity=options["verbosity"],
            json=options["json"],
            stdout=self.stdout,
        )


def _ensure_person(email: str, name: str, flags: dict[str, bool]) -> None:
    people = get_user_model().objects
    if not people.filter(email=email).exists():
        person = people.create_user(email=email, password=PASSWORD, display_name=name, **flags)
        # There's nobody to ask, and people who try the API should see every feature.
        record_faces_consent(user=person, agreed=True)
    # So that their photos can be reviewed, unless they said no on their account page.
    for person in people.filter(email=email, improve_consent_at=None):
        record_improve_consent(user=person, agreed=True)


def _ensure_album(email: str, split: str, numbers: Sequence[int]) -> None:
    """A person who can't sign in, with stories that fill the review queues."""
    album = User.objects.filter(email=email).first()
    if album is None:
        album = User.objects.create_user(
            email, id=_next_id(split), display_name="Album", faces_consent=True
        )
        record_improve_consent(user=album, agreed=True)
    if album.improve_consent:
        add_demo_stories(user=album, numbers=numbers)


def _next_id(split: str) -> int:
    """The next id of a person whose reviews are exported to this split."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_user', 'id'))")
            if split_of(number := cursor.fetchone()[0]) == split:
                return int(number)
