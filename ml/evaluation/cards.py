"""Tables, plots, timings and the machine's description for the model cards."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.training.curves import pyplot
from ml.types import Int64Array


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows with the same keys as a Markdown table."""
    head = "| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0])
    return "\n".join([head, *("| " + " | ".join(map(str, row.values())) + " |" for row in rows)])


def median_ms(call: Callable[[], Any], times: int = 30) -> float:
    """Return the median milliseconds of a call after a first one."""
    return round(float(np.median(_taken(call, times))), 1)


def fastest_ms(call: Callable[[], Any], times: int = 30) -> float:
    """Return the minimum milliseconds of a call, its time without interference."""
    return round(min(_taken(call, times)), 1)


def _taken(call: Callable[[], Any], times: int) -> list[float]:
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def machine() -> str:
    """Return the cores, the processor and the Python version as text."""
    return f"{os.cpu_count()} cores {_processor()}, Python {platform.python_version()}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def draw_reliability(bins: Sequence[Sequence[float]], path: Path) -> None:
    """Write a PNG of accuracy by confidence, from `metrics.report`."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(4, 4))
    axis.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="perfect")
    axis.plot([b[0] for b in bins], [b[1] for b in bins], marker="o", label="measured")
    axis.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def draw_confusion(confusion: Int64Array, names: Sequence[str], path: Path) -> None:
    """Write a PNG of a (classes, classes) confusion matrix, rows the true classes, as shares."""
    plt = pyplot()
    shares = confusion / confusion.sum(axis=1, keepdims=True)
    figure, axis = plt.subplots(figsize=(1.5 + len(names) / 2, 1 + len(names) / 2))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*shares.shape):
        dark = shares[row, column] > 0.5
        axis.text(
            column, row, f"{shares[row, column]:.2f}", ha="center", va="center",
            color="white" if dark else "black", fontsize=8,
        )  # fmt: skip
    places = range(len(names))
    axis.set_xticks(places, names, rotation=45, ha="right")
    axis.set_yticks(places, names)
    axis.set(xlabel="said", ylabel="labelled")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
