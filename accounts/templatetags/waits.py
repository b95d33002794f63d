"""Template filter for how long something waits."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from accounts.spotify.errors import in_words

register = template.Library()


@register.filter
def wait_until(moment: datetime) -> str:
    """How long it is until then, rounded up: "1 minute", "13 hours", never 0."""
    return in_words(moment - timezone.now())
