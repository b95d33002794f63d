"""List the registered models, promote one, take one back, or start and stop shadow mode."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stories.models import ModelVersion
from stories.registry import services
from stories.registry.errors import RegistryError
from stories.registry.selectors import serving_name


class Command(BaseCommand):
    help = "List, promote and take back models, or run one in shadow mode."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every registered version")
        for action in ("promote", "take-back", "shadow", "stop-shadow"):
            of_one = actions.add_parser(action)
            of_one.add_argument("name")
            of_one.add_argument("version")
        for action in ("promote", "take-back"):
            actions.choices[action].add_argument("--reason", default="", help="kept in the log")
        for parser_of_one in actions.choices.values():
            parser_of_one.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            told = self._do(**options)
        except RegistryError as error:
            raise CommandError(str(error)) from error
        lines = (f"{name}: {value}" for name, value in told.items())
        self.stdout.write(json.dumps(told) if options["json"] else "\n".join(lines))

    def _do(self, action: str, **options: Any) -> dict[str, str]:
        if action == "list":
            return {str(one): one.status for one in ModelVersion.objects.all()}
        name = options["name"]
        found = ModelVersion.objects.filter(name=name, version=options["version"]).first()
        if found is None:
            raise CommandError(f"There is no {name} model {options['version']}. See: models list")
        if action == "promote":
            services.promote_model(version_id=found.pk, reason=options["reason"])
        elif action == "take-back":
            services.take_back(version_id=found.pk, reason=options["reason"])
        elif action == "shadow":
            services.start_shadow(version_id=found.pk)
        else:
            services.stop_shadow(version_id=found.pk)
        return {"serving": serving_name(name)}
