"""Health checks: liveness, readiness and the state of the models."""

from collections.abc import Callable

import redis
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from kombu.exceptions import OperationalError as BrokerError

from stories.workers import model_status
from storify_site import beat
from storify_site.celery import app


@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Alive: the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Ready: everything that a request needs is up.

    The models and the scheduler don't count: without them, photos wait, but every page works.
    """
    parts = {
        "database": _answers(_database),
        "migrations": _answers(_migrations),
        "cache": _answers(_cache),
        "broker": _answers(_broker),
    }
    ready = all(parts.values())
    body = {
        "status": "ready" if ready else "not ready",
        "parts": parts,
        "models": model_status.summary(),
        "scheduler": {"last_tick": beat.last_tick()},
    }
    return JsonResponse(body, status=200 if ready else 503)


def _answers(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, redis.RedisError, BrokerError, OSError):
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _cache() -> bool:
    cache.get("readyz")
    return True


def _broker() -> bool:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    return True
