"""python -m recommender.engine.evaluate --tracks T.parquet --interactions I.parquet

Offline quality of every ranker side by side, on any files of that layout:

warm   a fifth of each user's items is held out; all items the user does not have are ranked
cold   a fifth of the items has no interactions to learn from; only those are ranked
mood   one item of each user is held out, and its valence and energy with noise are the query
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recommender.engine.offline.data import load
from recommender.engine.offline.protocol import evaluate


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    data = load(options.tracks, options.interactions, options.score_users)
    result = evaluate(data, options.seed)
    sys.stdout.write((json.dumps(result) if options.json else _table(result)) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recommender.engine.evaluate", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--interactions", type=Path, required=True)
    parser.add_argument("--score-users", type=Path, help="a column user_id: whom to measure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def _table(result: Mapping[str, Any]) -> str:
    blocks = [_block("warm", result["warm"]), _block("cold", result["cold"])]
    blocks += [_block(f"mood, sd {noise}", rows) for noise, rows in result["mood"].items()]
    return "\n\n".join(blocks)


def _block(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(rows.values())))
    head = f"{title:<18}" + "".join(f"{name:>11}" for name in names)
    lines = (
        f"{ranker:<18}" + "".join(f"{row[name]:>11.4f}" for name in names)
        for ranker, row in rows.items()
    )
    return "\n".join([head, *lines])


if __name__ == "__main__":
    main()
