"""Times the training of collaborative factors on random choices."""

import json
import resource
import time
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser

from recommender.engine import als

# Popularity skew: a few tracks get most of the choices, as in public playlists.
_SKEW = 2.5


class Command(BaseCommand):
    help = "Time alternating least squares; nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=100_000)
        parser.add_argument("--tracks", type=int, default=200_000)
        parser.add_argument("--choices", type=int, default=6_000_000)

    def handle(self, *_args: Any, **options: Any) -> None:
        from scipy.sparse import csr_matrix

        rng = np.random.default_rng(0)
        shape, n = (options["people"], options["tracks"]), options["choices"]
        tracks = (shape[1] * rng.random(n) ** _SKEW).astype(np.int64)
        choices = csr_matrix(
            (np.ones(n, np.float32), (rng.integers(0, shape[0], n), tracks)), shape
        )
        choices.data[:] = 1.0  # the same choice twice is one
        began = time.perf_counter()
        als.train(choices)
        result = {
            "choices": choices.nnz,
            "seconds": round(time.perf_counter() - began, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        }
        self.stdout.write(json.dumps(result))
