"""Write reviewed photos and captions, of people who agree at this moment, with agreed labels."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from PIL import Image

from accounts.models import User
from stories.models import Reason, Story
from stories.review.export.files import ExportError, Row, Writer, write_manifest
from stories.review.export.images import face_bytes, photo_bytes
from stories.review.export.labels import Label, agreed_labels
from stories.review.selectors import completed_reviews

SHARES = (("train", 0.7), ("val", 0.85), ("test", 1.0))
"""Splits with the upper end of their share of all people."""
ATTEMPTS = 5
VALENCE = {"positive": 1, "neutral": 0, "negative": -1}


def split_of(user_id: int) -> str:
    """The split of everything of one person, the same in every export."""
    digest = hashlib.sha256(f"storify reviews {user_id}".encode()).digest()
    at = int.from_bytes(digest[:8]) / 2**64
    return next(split for split, end in SHARES if at < end)


def export_reviews(*, out: Path, on_story: Callable[[], object] = bool) -> Row:
    """Write the export to a new folder; return its manifest.

    Only completed reviews of people who agree when the export ends: if somebody withdraws while it
    is written, it is written again. `on_story` is called before each story, and ends the export by
    raising. Raises ExportError if the folder is there and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is there already. Name a new folder, or an empty one.")
    out.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
            manifest, owners = _write(Path(folder), on_story)
            if _all_agree(owners):
                out.mkdir(exist_ok=True)
                for file in Path(folder).iterdir():
                    shutil.move(file, out / file.name)
                return manifest
    raise ExportError("People keep withdrawing their photos. Try again in a few minutes.")


def _all_agree(owners: set[int]) -> bool:
    agreeing = User.objects.filter(pk__in=owners, improve_consent=True)
    return agreeing.count() == len(owners)


@transaction.atomic
def _write(folder: Path, on_story: Callable[[], object]) -> tuple[Row, set[int]]:
    """Write one export from a single query, which sees one state of the database."""
    left_out: Counter[str] = Counter()
    people: dict[int, int] = {}
    n_reviews = 0
    with Writer(folder) as writer:
        for _, group in groupby(_reviews().iterator(chunk_size=500), lambda one: one.story_id):
            on_story()
            reviews = list(group)
            story = reviews[0].story
            n_reviews += len(reviews)
            person = people.setdefault(story.user_id, len(people))
            about = {
                "split": split_of(story.user_id),
                "person": person,
                "audit": any(review.reason == Reason.AUDIT for review in reviews),
            }
            _add(writer, story, agreed_labels(reviews, left_out), about, left_out)
    figures: dict[str, Any] = {
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "reviews": n_reviews,
        "people": len(people),
        "left_out": dict(left_out),
    }
    return write_manifest(folder, writer.counts, figures), set(people)


def _reviews() -> Any:
    shared = completed_reviews().filter(
        story__user__improve_consent=True, story__status=Story.Status.READY
    )
    whole = shared.select_related("item", "story__photo", "story__user")
    return whole.order_by("story_id", "created_at", "pk")


def _add(
    writer: Writer, story: Story, labels: list[Label], about: Row, left_out: Counter[str]
) -> None:
    photo = _photo(story) if any(one.kind != "caption" for one in labels) else None
    for label in labels:
        row: Row = {"label": label.label, **about}
        if label.kind == "caption":
            row |= {"text": story.caption, "valence": VALENCE.get(label.label)}
        elif photo is None or (label.box and story.user.faces_consent is not True):
            left_out["no_photo"] += 1
            continue
        else:
            row["image"] = face_bytes(photo, label.box) if label.box else photo_bytes(photo)
        writer.add(label.kind, row)


def _photo(story: Story) -> Image.Image | None:
    """The story's photo; None if it was deleted meanwhile."""
    try:
        with story.photo.file.open("rb") as file, Image.open(file, formats=["JPEG"]) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        return None
