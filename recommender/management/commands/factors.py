"""python manage.py factors {train,export,load,arrange,roll-back}"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import services
from recommender.errors import RecommenderError
from recommender.models import FactorVersion


class Command(BaseCommand):
    help = "The collaborative factors: train them here or elsewhere, take them in, go back."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("train", help="train on this machine and let the result serve")
        export = actions.add_parser("export", help="write the choices, to train elsewhere")
        export.add_argument("path", type=Path, metavar="CHOICES.parquet")
        load = actions.add_parser("load", help="take in what was trained elsewhere")
        load.add_argument("path", type=Path, metavar="FACTORS.parquet")
        actions.add_parser("arrange", help="arrange the catalogue anew by the factors that serve")
        actions.add_parser("roll-back", help="let the version before serve again")
        for action in actions.choices.values():
            action.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            result = self._do(options["action"], options)
        except RecommenderError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write(", ".join(f"{name}: {value}" for name, value in result.items()))

    def _do(self, action: str, options: dict[str, Any]) -> dict[str, Any]:
        if action == "export":
            return {"choices": services.export_choices(path=options["path"])}
        if action == "load":
            return _told(services.load_factors(path=options["path"]))
        actions: dict[str, Callable[[], FactorVersion]] = {
            "train": services.train_factors,
            "arrange": services.rearrange_catalogue,
            "roll-back": services.roll_back_factors,
        }
        return _told(actions[action]())


def _told(version: FactorVersion) -> dict[str, Any]:
    return {
        "version": version.pk,
        "state": version.state,
        "method": version.method,
        "tracks": version.n_tracks,
        "songs": version.n_songs,
        "choices": version.n_choices,
        "people_examined": version.n_examined,
        "recall_at_50": version.quality,
        "recall_at_50_before": version.quality_before,
    }
