"""The queue of likely label errors: answers that the model's probabilities speak against."""

from __future__ import annotations


def queue_label_errors(*, limit: int = 500) -> int:
    """Queue the stories whose reviewed labels are most likely wrong; return how many are new."""
    raise NotImplementedError
