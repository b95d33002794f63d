"""Train a candidate from an export of reviews, and compare it with the serving model.

python -m ml.training.candidate --name emotion --export FOLDER --serving MODEL.keras \\
    --entry ENTRY.json --out FOLDER --version 5.1.0+1 [--data FOLDER] [--epochs 5]
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from ml.networks import import_keras
from ml.serving.files import FORMATS


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", choices=FORMATS, required=True)
    for name in ("export", "serving", "entry", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--data", type=Path, help="folder of the base data and public test sets")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--parent", type=int, help="end with this process, which started it")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.nice(10)  # the site comes first
    if given.parent:
        threading.Thread(target=_end_with, args=(given.parent,), daemon=True).start()
    import_keras()
    from ml.training.candidate.train import NothingToLearn, Plan, Serving, train_candidate

    plan = replace(Plan(), epochs=given.epochs) if given.epochs else Plan()
    try:
        train_candidate(
            given.name,
            serving=Serving(given.serving, json.loads(given.entry.read_text())),
            export=given.export,
            data=given.data,
            out=given.out,
            version=given.version,
            plan=plan,
        )
    except NothingToLearn as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _end_with(parent: int) -> None:
    """End at once when the process that waits for the result has gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main())
