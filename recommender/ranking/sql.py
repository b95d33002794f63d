"""Raw SQL reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connections


def fetch_rows(
    sql: str, parameters: Mapping[str, Any], *, using: str | None = None
) -> list[tuple[Any, ...]]:
    """Return all rows, from the read database unless `using` names another."""
    with connections[using or settings.READ_DATABASE].cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
