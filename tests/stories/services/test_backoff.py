"""Delays before an interrupted analysis is retried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stories.services.analysis import backoff


@pytest.mark.parametrize(
    ("luck", "seconds"), [(min, [1.0, 2.0, 4.0, 8.0]), (max, [3.0, 6.0, 12.0, 24.0])]
)
def test_waits_double_and_are_spread_by_half_to_either_side(
    luck: Callable[..., float], seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """2, 4, 8 and 16 seconds, times one half with the best of luck and 3/2 with the worst."""
    monkeypatch.setattr("random.uniform", luck)
    assert [backoff(attempt) for attempt in (1, 2, 3, 4)] == seconds
