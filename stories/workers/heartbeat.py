"""Count the progress of this process, so that a watchdog can tell work from a hang."""

from __future__ import annotations

_count = 0


def note() -> None:
    """Record progress: a part was loaded, or a stage or task began or ended."""
    global _count  # noqa: PLW0603 - one number for the process is the point
    _count += 1


def count() -> int:
    return _count
