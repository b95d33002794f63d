"""Run code in a thread beside a test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Run it in a thread with its own connection; errors go into the list."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield raised
    finally:
        thread.join(30)
    assert not thread.is_alive()
