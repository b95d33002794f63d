"""Atomic services that run again where the database gave them up for the sake of others."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

# Serialization failure and deadlock: nothing was written, and the same again may succeed.
WORTH_ANOTHER_TRY = frozenset({"40001", "40P01"})
TRIES = 5
FIRST_WAIT = 0.02


def atomic_with_retry(service: Callable[P, T]) -> Callable[P, T]:
    """`transaction.atomic`, started again after a deadlock or a serialization failure.

    Only the outermost transaction can start again; inside another one this is plain atomic. The
    service must change nothing but the database, and fetch there what it changes.
    """
    atomic = transaction.atomic(service)

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        tries = 1 if connection.in_atomic_block else TRIES
        for tried in range(1, tries):
            try:
                return atomic(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in WORTH_ANOTHER_TRY:
                    raise
            # By chance, so that those who met do not meet again.
            time.sleep(random.uniform(0.5, 1.5) * FIRST_WAIT * 2**tried)
        return atomic(*args, **kwargs)

    return run
