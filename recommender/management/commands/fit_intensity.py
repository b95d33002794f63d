"""python manage.py fit_intensity"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors, services
from recommender.engine.tracks.intensity import FEATURES, MIN_TRACKS


class Command(BaseCommand):
    help = "Fit the intensity classes to the catalogue and classify every track."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        fit = services.refit_intensity()
        if fit is None:
            raise CommandError(f"At least {MIN_TRACKS} different tracks with features are needed.")
        classes = selectors.energy_by_intensity()
        result = {
            "n": fit.n_tracks,
            "explained": round(fit.explained, 3),
            "cuts": [round(cut, 3) for cut in fit.cuts],
            "loadings": dict(zip(FEATURES, (round(x, 3) for x in fit.loadings), strict=True)),
            "tracks": {energies.level: energies.n_tracks for energies in classes},
        }
        counts = ", ".join(f"{energies.n_tracks} {energies.level}" for energies in classes)
        self.stdout.write(json.dumps(result) if options["json"] else f"Learned: {counts}.")
