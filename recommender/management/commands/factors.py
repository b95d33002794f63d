"""python manage.py factors {train,export,load,rebuild-index,roll-back}"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import services
from recommender.errors import RecommenderError
from recommender.models import FactorVersion


class Command(BaseCommand):
    help = "Train, export, load and roll back the collaborative factors, or rebuild their index."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("train", help="train on this machine and serve the result")
        export = actions.add_parser("export", help="write the choices to train on elsewhere")
        export.add_argument("path", type=Path, metavar="CHOICES.parquet")
        load = actions.add_parser("load", help="load and serve factors trained elsewhere")
        load.add_argument("path", type=Path, metavar="FACTORS.parquet")
        actions.add_parser(
            "rebuild-index",
            aliases=["arrange"],
            help="index the current catalogue with the serving factors",
        )
        actions.add_parser("roll-back", help="serve the previous version again")
        for action in {*actions.choices.values()}:
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
            return _summary(services.load_factors(path=options["path"]))
        actions: dict[str, Callable[[], FactorVersion]] = {
            "train": services.train_factors,
            "rebuild-index": services.rebuild_index,
            "arrange": services.rebuild_index,
            "roll-back": services.roll_back_factors,
        }
        return _summary(actions[action]())


def _summary(version: FactorVersion) -> dict[str, Any]:
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
