"""Services that fill the review queues, hand items out, and save reviews."""

from stories.review.services.consent import erase_reviewed_faces, share_stories, withdraw_items
from stories.review.services.items import (
    add_agreed_as_gold,
    add_gold,
    backfill_items,
    backfill_recent,
    queue_overridden,
    queue_story,
    recount_disagreement,
)
from stories.review.services.label_errors import queue_label_errors
from stories.review.services.leases import next_item, skip_item
from stories.review.services.reviews import accept_items, save_review
from stories.review.services.undo import undo_review, unskip_item

__all__ = [
    "accept_items",
    "add_agreed_as_gold",
    "add_gold",
    "backfill_items",
    "backfill_recent",
    "erase_reviewed_faces",
    "next_item",
    "queue_label_errors",
    "queue_overridden",
    "queue_story",
    "recount_disagreement",
    "save_review",
    "share_stories",
    "skip_item",
    "undo_review",
    "unskip_item",
    "withdraw_items",
]
