"""Publish jobs to the workers; fail fast if the broker is down."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError
from kombu.pools import producers

ANALYSE_STORY = "stories.tasks.analyse_story"
REFRESH_OUTDATED = "stories.tasks.refresh_outdated"
BACKFILL_REVIEWS = "stories.tasks.backfill_reviews"
TRANSCODE_VIDEO = "stories.tasks.transcode_next_video"
TRAIN_CANDIDATE = "stories.tasks.train_candidate"
CARRY_OUT_SAVE = "stories.tasks.carry_out_save"
INFERENCE = "inference"
# Someone is waiting: retry once over a fresh connection, then leave it to the periodic task.
_RETRY_POLICY: dict[str, Any] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
# Workers may wait long for the broker, publishers may not.
_TRANSPORT = {"socket_timeout": 2, "socket_connect_timeout": 2}


class BrokerUnavailableError(Exception):
    """The broker is unreachable; try again later."""


def publish_analysis(story_id: UUID) -> None:
    """Ask a worker to analyse the story. Raises BrokerUnavailableError within seconds."""
    _publish(ANALYSE_STORY, str(story_id))


def publish_refresh() -> None:
    """Ask a worker to refresh what is outdated. Raises BrokerUnavailableError within seconds."""
    _publish(REFRESH_OUTDATED)


def publish_backfill(user_id: int) -> None:
    """Ask a worker to fill the review queues. Raises BrokerUnavailableError within seconds."""
    _publish(BACKFILL_REVIEWS, user_id)


def publish_transcoding() -> None:
    """Ask a worker to transcode a video. Raises BrokerUnavailableError within seconds."""
    _publish(TRANSCODE_VIDEO)


def publish_training(name: str, user_id: int, since: datetime) -> None:
    """Ask a worker to train a candidate. Raises BrokerUnavailableError within seconds."""
    _publish(TRAIN_CANDIDATE, name, user_id, since.isoformat())


def publish_save(save_id: UUID) -> None:
    """Ask a worker to save to Spotify. Raises BrokerUnavailableError within seconds."""
    _publish(CARRY_OUT_SAVE, str(save_id))


def _publish(task: str, *args: str | int) -> None:
    connection = current_app.connection_for_write(transport_options=_TRANSPORT)
    try:
        with producers[connection].acquire(block=True, timeout=5) as producer:
            current_app.send_task(
                task,
                args=args,
                producer=producer,
                retry=True,
                retry_policy=_RETRY_POLICY,
            )
    except (OperationalError, ConnectionError, TimeoutError) as error:
        raise BrokerUnavailableError from error


def waiting_messages(*queues: str) -> int:
    """Count the messages in these queues that no worker has taken; by default, analyses.

    Raises BrokerUnavailableError within seconds.
    """
    with current_app.connection_for_read(transport_options=_TRANSPORT) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            return sum(_count(connection, queue) for queue in queues or [INFERENCE])
        except (OperationalError, *connection.connection_errors) as error:
            raise BrokerUnavailableError from error


def _count(connection: Any, queue: str) -> int:
    # Redis and RabbitMQ both return the count for a passive declaration, and refuse one for a queue
    # that has never been used.
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:
        return 0
