"""python -m recommender.engine.evaluate --tracks T.parquet --interactions I.parquet

Offline quality of every ranker side by side, on any files of that layout:

warm   a fifth of each user's items is held out; all items the user does not have are ranked
cold   a fifth of the items has no interactions to learn from; only those are ranked
mood   one item of each user is held out, and its valence and energy with noise are the query
title  with --titles: a fifth of the users is held out, and the title of each is all that is known

Each takes its weights from a part of what it may learn from, so nothing is fitted to what is
reported. With --seeds N everything is done on N draws; means are shown, and the standard deviation
between draws.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.engine.evaluation.data import load
from recommender.engine.evaluation.protocol import evaluate


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every ranker on the files named on the command line and print the figures."""
    options = _options(arguments)
    data = load(options.tracks, options.interactions, options.score_users, options.titles)
    seeds = range(options.seed, options.seed + options.seeds)
    results = [evaluate(data, seed) for seed in seeds]
    report = _over(results, np.mean)
    if len(results) > 1:
        report |= {
            "seeds": [*seeds],
            "spread": _over(results, lambda values: np.std(values, ddof=1)),
        }
    sys.stdout.write((json.dumps(report) if options.json else _table(report)) + "\n")


def _over(results: Sequence[Any], statistic: Callable[[list[float]], Any]) -> Any:
    """The same tree as each of the results, with a statistic over them at every leaf."""
    first = results[0]
    if isinstance(first, dict):
        return {key: _over([result[key] for result in results], statistic) for key in first}
    return round(float(statistic([*results])), 4)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recommender.engine.evaluate", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--interactions", type=Path, required=True)
    parser.add_argument("--titles", type=Path, help="columns user_id, title: adds the task title")
    parser.add_argument("--score-users", type=Path, help="a column user_id: whom to measure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="how many draws (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def _table(result: Mapping[str, Any]) -> str:
    spread = result.get("spread", {})
    flat = [name for name in ("warm", "cold", "title") if name in result]
    blocks = [_block(name, result[name], spread.get(name, {})) for name in flat]
    blocks += [
        _block(f"mood, sd {noise}", rows, spread.get("mood", {}).get(noise, {}))
        for noise, rows in result["mood"].items()
    ]
    return "\n\n".join(blocks)


def _block(title: str, rows: Mapping[str, Mapping[str, float]], spread: Mapping[str, Any]) -> str:
    names = list(next(iter(rows.values())))
    lines = [f"{title:<16}" + "".join(f"{name.replace('_coverage', 's'):>15}" for name in names)]
    for ranker, row in rows.items():
        deviations = spread.get(ranker, {})
        cells = (
            f"{row[name]:.4f}" + (f" ±{deviations[name]:.4f}" if deviations else "")
            for name in names
        )
        lines.append(f"{ranker:<16}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
