"""Quantiles and the results table of the benchmarks."""

from collections.abc import Sequence
from typing import Any


def quantile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of the values don't exceed."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 4)


def _goal_ms(tracks: int) -> str:
    """The goal for the 95th percentile in a catalogue of this size."""
    goals = ((200_000, "25 ms"), (2_000_000, "60 ms"))
    return next((goal for size, goal in goals if tracks <= size), "150 ms")


def _recall(suggestions: dict[str, Any]) -> list[tuple[str, str, str]]:
    recall = suggestions.get("recall")
    if not recall:
        return []
    return [(f"  of the exact best {recall['top']} found", f"{recall['mean']:.3f}", "0.98")]


def _library(suggestions: dict[str, Any]) -> list[tuple[str, str, str]]:
    figures = suggestions.get("library")
    if not figures:
        return []
    goal = _goal_ms(suggestions["tracks"])
    return [
        (f"  with {figures['tracks']:,} of one's own ({scope}), p95", f"{ms:.1f} ms", goal)
        for scope, ms in ((name, figures[name]["p95_ms"]) for name in ("mine", "mix", "new"))
    ]


def _import(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = figures["rows"]
    goal = f"{rows * 180 / 1e6:.0f} s"
    return [
        (f"importing {rows:,} tracks", f"{figures['seconds']:.1f} s", goal),
        ("  and its memory", f"{figures['peak_mb']} MB", "500 MB"),
    ]


def table(result: dict[str, Any]) -> str:
    """One line per figure, with its goal if it has one."""
    photo, memory, analysis = result["photo"], result["memory"], result["analysis"]
    suggestions, start = result["suggestions"], result["start_seconds"]
    rows = [
        (f"upload to ready, p50 of {photo['n']}", f"{photo['ready_p50_seconds']:.2f} s", "0.6 s"),
        (f"upload to ready, p95 of {photo['n']}", f"{photo['ready_p95_seconds']:.2f} s", "1.2 s"),
        ("the very first photo", f"{result['first_photo_seconds']:.2f} s", ""),
        ("with the queue full", f"{result['queue']['photos_per_second']:.2f} photos/s", ""),
        (f"analysis alone, p50 of {analysis['n']}", f"{analysis['p50_ms']:.0f} ms", "250 ms"),
        ("  and p95", f"{analysis['p95_ms']:.0f} ms", "500 ms"),
        ("  and one after the other", f"{analysis['photos_per_second']:.1f} photos/s", "5"),
        ("inference worker, resident", f"{memory['worker_mb']:.0f} MB", "1200 MB"),
        ("web process, resident", f"{memory['web_mb']:.0f} MB", "200 MB"),
        (
            f"suggestions over {suggestions['tracks']:,} tracks, p50",
            f"{suggestions['p50_ms']:.1f} ms",
            "50 ms",
        ),
        ("  and p95", f"{suggestions['p95_ms']:.1f} ms", _goal_ms(suggestions["tracks"])),
        ("mood dragged, over HTTP, p95", f"{suggestions['drag']['p95_ms']:.1f} ms", "100 ms"),
        *_library(suggestions),
        *_recall(suggestions),
        *_import(suggestions["import"]),
        ("from start to first page, new data", f"{start['from_nothing']:.1f} s", "90 s"),
        ("from start to first page, again", f"{start['again']:.1f} s", ""),
    ]
    return laid_out(rows, result["machine"])


def laid_out(rows: Sequence[tuple[str, str, str]], machine: dict[str, Any]) -> str:
    """Rows of name, measured and goal as text, with the machine below."""
    lines = [f"{name:44} {value:>14}   {goal}" for name, value, goal in rows]
    head = f"{'':44} {'measured':>14}   goal"
    foot = f"{machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}"
    return "\n".join([head, *lines, foot, ""])
