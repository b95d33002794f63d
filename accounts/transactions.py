"""Transactions that are retried after a deadlock or a serialization failure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

# Serialization failure and deadlock: nothing was written, and a retry may succeed.
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
ATTEMPTS = 5
FIRST_WAIT_SECONDS = 0.02


def atomic_with_retry(service: Callable[P, T]) -> Callable[P, T]:
    """`transaction.atomic`, retried after a deadlock or a serialization failure.

    Only the outermost transaction is retried; inside another one, this is a plain atomic. The
    service must change only the database, and reload the rows that it changes.
    """
    atomic = transaction.atomic(service)

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        attempts = 1 if connection.in_atomic_block else ATTEMPTS
        for attempt in range(1, attempts):
            try:
                return atomic(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in RETRYABLE_SQLSTATES:
                    raise
            # Random, so that the transactions that collided don't collide again.
            time.sleep(random.uniform(0.5, 1.5) * FIRST_WAIT_SECONDS * 2**attempt)
        return atomic(*args, **kwargs)

    return run
