"""Story pages. A request by HTMX gets the partial that changes, any other the whole page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from accounts.spotify.errors import SpotifyError
from accounts.web.access import PageRequest, signed_in
from accounts.web.bidi import isolate
from recommender import services as recommender
from recommender.catalogue.demo_tracks import OUT_OF_USE
from recommender.library.selectors import lacks_spotify_music
from recommender.models import MusicPreferences, Suggestion
from recommender.pages.forms import LikesForm
from recommender.selectors import choices_by_story, is_new_to_music
from stories import selectors, services
from stories.errors import IdempotencyConflictError, StoryGoneError, UploadsBusyError
from stories.models import MAX_CAPTION, Story
from stories.pages import pagination, presenters, responses, story_page
from stories.pages.access import own_story
from stories.pages.forms import CorrectionForm, SuggestionForm, TrackForm, UploadForm
from stories.uploads import formats, photos, videos
from stories.uploads.formats import PHOTO, VIDEO
from stories.uploads.throttling import too_many_uploads

TOO_MANY = "You've uploaded too much at once. Please wait a minute and try again."


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("stories:new")
    return render(request, "home.html")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: PageRequest) -> HttpResponse:
    if request.user.faces_consent is None:
        return _to_notice(request)
    if request.method != "POST":
        return _upload_page(request, UploadForm(initial={"once": uuid4()}))
    form = UploadForm(request.POST, request.FILES)
    if too_many_uploads(request):
        form.add_error(None, TOO_MANY)
        return _upload_page(request, form, status=429)
    try:
        story = _create_story(request, form) if form.is_valid() else None
    except UploadsBusyError as error:
        return _busy_page(request, form, error)
    if story is None:
        return _upload_page(request, form, status=422)
    return responses.go_to(request, story)


def _busy_page(request: PageRequest, form: UploadForm, error: UploadsBusyError) -> HttpResponse:
    form.add_error(None, str(error))
    answer = _upload_page(request, form, status=503)
    answer["Retry-After"] = str(error.retry_after)
    return answer


def _create_story(request: PageRequest, form: UploadForm) -> Story | None:
    """Create the story, or add the reason to the form and return None."""
    sent = form.cleaned_data
    upload = {"user": request.user, "upload": sent["photo"], "caption": sent["caption"]}
    try:
        return _create_once(str(sent["once"] or "") or None, **upload)
    except photos.UploadError as error:
        form.add_error("photo", str(error))
    except StoryGoneError as error:
        form.add_error(None, str(error))
    return None


def _create_once(key: str | None, **upload: Any) -> Story:
    try:
        return services.create_story(**upload, idempotency_key=key)
    except IdempotencyConflictError:  # the browser restored the page; this is another story
        return services.create_story(**upload)


def _upload_page(request: PageRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "stories/_upload_errors.html", {"form": form}, status=status)
    page = {
        "form": form,
        "max_caption": MAX_CAPTION,
        "photo": PHOTO,
        "video": VIDEO,
        "lacks_spotify_music": lacks_spotify_music(request.user),
        "longest": formats.MAX_SECONDS + formats.SLACK_SECONDS,
        "errors": {
            "photo_too_large": photos.TOO_LARGE,
            "video_too_large": videos.TOO_LARGE,
            "video_too_long": videos.TOO_LONG,
            "wrong_type": photos.WRONG_TYPE,
            "empty": photos.EMPTY,
        },
    }
    if is_new_to_music(request.user):
        page["likes"] = LikesForm(MusicPreferences())
    return render(request, "stories/new.html", page, status=status)


def _to_notice(request: PageRequest) -> HttpResponse:
    notice = f"{reverse('accounts:notice')}?{urlencode({'next': reverse('stories:new')})}"
    return HttpResponseClientRedirect(notice) if request.htmx else redirect(notice)


@require_safe
@signed_in
def history(request: PageRequest) -> HttpResponse:
    cursor = request.GET.get("before", "")
    stories, older = pagination.page_of(selectors.history(request.user), cursor)
    choices = choices_by_story([story.id for story in stories])
    cards = [presenters.card(story, choices.get(story.id)) for story in stories]
    page = {"cards": cards, "older": older and urlencode({"before": older}), "is_later": cursor}
    return render(request, "stories/_cards.html" if request.htmx else "stories/history.html", page)


@require_safe
@own_story
def story(request: PageRequest, story: Story) -> HttpResponse:
    if recommender.claim_demo_notice(user=request.user):
        messages.info(request, OUT_OF_USE)
    return render(request, "stories/story.html", story_page.context(story))


@require_safe
@own_story
def progress(request: PageRequest, story: Story) -> HttpResponse:
    """Render the progress if it changed since the last poll, or the story once it is finished."""
    if not request.htmx:
        return redirect("stories:story", story.id)
    if story.is_finished:
        return retarget(
            reswap(responses.story_part(request, story, "Done."), "outerHTML"), "#story"
        )
    if request.GET.get("progress_state") == story_page.progress_state(story):
        return HttpResponse(status=204)
    return render(request, "stories/_progress.html", story_page.context(story))


@require_safe
@own_story
def player(request: PageRequest, story: Story) -> HttpResponse:
    """Render the player once the video is ready; 204 while it's prepared."""
    video = selectors.video_of(story)
    if not request.htmx or video is None:
        return redirect("stories:story", story.id)
    if selectors.video_status(story) == "preparing":
        return HttpResponse(status=204)
    return render(request, "stories/_video.html", {"story": story, "video": video})


@responses.story_action
def correct(request: PageRequest, story: Story) -> HttpResponse:
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "Please correct one thing at a time.")
    services.correct_story(story=story, user=request.user, **form.correction())
    return responses.changed(request, story, "Corrected. The suggestions are updated.")


@responses.story_action
def choose(request: PageRequest, story: Story) -> HttpResponse:
    form = TrackForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "There's no such track.")
    track_id, spotify_id = form.cleaned_data["track_id"], form.cleaned_data["spotify_id"]
    try:
        if spotify_id:
            choice = services.save_spotify_choice(story=story, spotify_id=spotify_id)
        else:
            choice = services.save_choice(story=story, track_id=track_id)
    except SpotifyError as error:
        return responses.refuse(request, story, f"This track wasn't saved. {error}")
    if request.htmx:
        return responses.choice_part(request, story)
    messages.success(request, f"Saved “{isolate(choice.track.title)}” with your story.")
    return redirect("stories:story", story.id)


@responses.story_action
def unchoose(request: PageRequest, story: Story) -> HttpResponse:
    services.remove_choice(story=story)
    if request.htmx:
        return responses.choice_part(request, story)
    messages.success(request, "Removed the track from your story.")
    return redirect("stories:story", story.id)


@responses.story_action
def dismiss(request: PageRequest, story: Story) -> HttpResponse:
    form = SuggestionForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "There's no such suggestion.")
    suggestion = {"suggestion_id": form.cleaned_data["suggestion"]}
    recommender.give_feedback(
        user=request.user, **suggestion, feedback=Suggestion.Feedback.NOT_THIS_ONE
    )
    return responses.refused(request, story, form.cleaned_data["suggestion"])


@responses.story_action
def retry(request: PageRequest, story: Story) -> HttpResponse:
    services.retry_story(story=story)
    return responses.changed(request, story, "")


@require_http_methods(["GET", "HEAD", "POST"])
@own_story
def delete(request: PageRequest, story: Story) -> HttpResponse:
    if request.method != "POST":
        return render(
            request, "stories/delete.html", {"story": story, "video": selectors.video_of(story)}
        )
    services.delete_story(story=story)
    messages.success(request, "The story has been deleted.")
    return redirect("stories:history")
