"""Views of a person's own music: how far it is, read it again, read more, delete it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.services import delete_spotify_copy
from accounts.spotify.scopes import Purpose
from accounts.web.access import PageRequest, signed_in
from recommender.library import services
from recommender.library.importing.jobs import (
    ImportRefusedError,
    forget_imports,
    start_import,
)
from recommender.library.progress import progress_of


@require_safe
@never_cache
@signed_in
def own_music(request: PageRequest) -> HttpResponse:
    if not request.htmx:
        return _to_account()
    return render(request, "recommender/_own_music.html", progress_of(request.user))


def _action(
    words: str,
) -> Callable[[Callable[[User], object]], Callable[..., HttpResponseBase]]:
    """Decorate what changes the library: run it, then show the account page with `words`."""

    def decorate(change: Callable[[User], object]) -> Callable[..., HttpResponseBase]:
        @require_POST
        @signed_in
        @wraps(change)
        def view(request: PageRequest) -> HttpResponse:
            change(request.user)
            messages.success(request, words)
            return _to_account()

        return view

    return decorate


@require_POST
@signed_in
def import_file(request: PageRequest) -> HttpResponse:
    """Take a file of the person's own music and read it in the background."""
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, "Choose a file first.")
        return _to_account()
    try:
        start_import(user=request.user, file=file)
    except ImportRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Storify is reading your file.")
    return _to_account()


@_action("Storify is reading your music again.")
def read_again(user: User) -> None:
    services.start_sync(user=user)


@_action("Storify is reading more of your saved tracks.")
def read_more(user: User) -> None:
    services.read_more(user=user)


@_action("The copy of your music is deleted. Tracks that you saved stay with their stories.")
def delete(user: User) -> None:
    forget_imports(user=user)
    services.delete_library(user=user)
    delete_spotify_copy(user=user, purpose=Purpose.LIBRARY)


def _to_account() -> HttpResponse:
    return redirect(f"{reverse('accounts:account')}#own-music")
