"""python manage.py suggest PHOTO: tags, mood and fitting tracks without a browser."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.api.serializers import RankedTrackSerializer
from stories import services
from stories.uploads.formats import ACCEPTED
from stories.uploads.photos import UploadError


class Command(BaseCommand):
    help = "Look at a photo or video and suggest the music that fits its mood; nothing is stored."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photo", type=Path, help=ACCEPTED)
        parser.add_argument("--caption", default="", help="words that go with the photo")
        parser.add_argument("-n", type=int, default=10, help="how many tracks (default: 10)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not 1 <= options["n"] <= 100:
            raise CommandError("-n: choose a number from 1 to 100.")
        try:
            with options["photo"].open("rb") as file:
                preview = services.preview_suggestions(
                    upload=file, caption=options["caption"], n=options["n"]
                )
        except OSError as error:
            raise CommandError(f"{options['photo']}: {error.strerror or error}.") from error
        except UploadError as error:
            raise CommandError(f"{options['photo']}: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(preview), ensure_ascii=False))
        else:
            self.stdout.write(_as_text(preview))


def _as_json(preview: services.Preview) -> dict[str, Any]:
    return {
        "tags": preview.tags,
        "mood": preview.mood,
        "suggestions": [RankedTrackSerializer(ranked).data for ranked in preview.suggestions],
    }


def _as_text(preview: services.Preview) -> str:
    lines = [_tag_line(kind, preview.tags[kind]) for kind in ("emotion", "action", "intensity")]
    mood = preview.mood
    place = f"valence {mood['valence']:.2f}, energy {mood['energy']:.2f}"
    lines += [f"{'mood':<10} {mood['word']} ({place})", ""]
    for shown in preview.suggestions:
        lines.append(f"{shown.rank:>3}. {shown.track}")
        lines += [f"     {reason}" for reason in shown.reasons]
    return "\n".join(lines if preview.suggestions else [*lines, "There are no tracks yet."])


def _tag_line(kind: str, tag: dict[str, Any]) -> str:
    best = sorted(tag["probabilities"].items(), key=lambda item: -item[1])[:3]
    shares = ", ".join(f"{name} {share:.0%}" for name, share in best)
    return f"{kind:<10} {tag['label'] or 'none'}" + (f" ({shares})" if shares else "")
