"""How long the stages of an analysis take."""

from __future__ import annotations

from time import monotonic

from stories.models import Story

# Beside the stages of ml.types: in the queue, and until the models are ready to run.
WAITING, LOADING = "waiting", "loading"


class StageClock:
    """Adds up the seconds of each stage; the next one ends the one before."""

    def __init__(self, story: Story) -> None:
        queued = story.enqueued_at or story.created_at
        waited = (story.claimed_at - queued).total_seconds() if story.claimed_at else 0.0
        self._seconds = {WAITING: max(waited, 0.0)}
        self._stage, self._since = LOADING, monotonic()

    def begin(self, stage: str) -> None:
        now = monotonic()
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def seconds(self) -> dict[str, float]:
        """What was measured so far, with the current stage, {stage: seconds}."""
        self.begin(self._stage)
        return {stage: round(taken, 3) for stage, taken in self._seconds.items()}
