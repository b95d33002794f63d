"""Fill the review queues now: for everybody who agreed, not only for those who did lately."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from stories.review import services
from stories.review.selectors import people_who_share, queue_sizes


class Command(BaseCommand):
    help = (
        "Put the stories of everybody who agreed into the review queues, for example after the "
        "audit share was raised; add likely label errors, and agreed answers as gold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        for user_id in people_who_share():
            services.backfill_items(user_id=user_id)
        services.recount_disagreement()
        services.queue_label_errors()
        services.add_agreed_as_gold()
        sizes = queue_sizes()
        lines = [f"{reason}: {waiting} waiting" for reason, waiting in sizes.items()]
        self.stdout.write(json.dumps(sizes) if options["json"] else "\n".join(lines))
