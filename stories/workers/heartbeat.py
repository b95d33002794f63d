"""Counts what this process gets done, so that whoever watches it can tell work from a hang."""

from __future__ import annotations

_count = 0


def note() -> None:
    """Something was done: a part was loaded, a stage or a task began or ended."""
    global _count  # noqa: PLW0603 - one number for the process is the point
    _count += 1


def count() -> int:
    return _count
