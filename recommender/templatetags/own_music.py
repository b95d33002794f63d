"""The part of the account page about a person's own music."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.models import User
from recommender.library.progress import progress_of

register = template.Library()


@register.inclusion_tag("recommender/_own_music.html", takes_context=True)
def own_music(context: template.Context, user: User) -> dict[str, Any]:
    # The request, because the forms need its CSRF token.
    return {"request": context["request"], "csrf_token": context["csrf_token"], **progress_of(user)}
