"""The registry's tests end with the shipped models in use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stories.registry.services import serving


@pytest.fixture(autouse=True)
def shipped_models() -> Iterator[None]:
    serving.forget()
    yield
    serving.forget()
