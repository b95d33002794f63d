"""/api/v1/stories/: upload, history, corrections, choice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated, NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import User
from accounts.web.parsers import StrictJSONParser
from accounts.web.throttling import PersonThrottle
from recommender.api.listing import present_suggestions
from recommender.api.serializers import SuggestionSerializer
from recommender.selectors import story_tuning
from stories import selectors, services
from stories.api.problem_details import Refused, as_problems
from stories.api.serializers import (
    ChoiceSerializer,
    CorrectionSerializer,
    StoryMusicSerializer,
    StorySerializer,
    UploadSerializer,
    present_stories,
)
from stories.models import Story
from stories.pages import pagination as paging
from stories.uploads.throttling import UploadThrottle
from stories.uploads.videos import MAX_VIDEO_BYTES, TOO_LARGE

# The size of a form without its file.
_FORM_OVERHEAD = 64 * 1024
_MAX_KEY = 200


class HistoryPages(CursorPagination):
    page_size = 20
    ordering = ("-created_at", "-id")
    cursor_query_description = "Start of the page, as given by `next` and `previous`."

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        try:
            if cursor is not None and cursor.position is not None:
                paging.moment(str(cursor.position))
        except ValueError as error:
            raise NotFound(self.invalid_cursor_message) from error
        return cursor


class StoriesView(APIView):
    """Base of the views below: one person, one story."""

    throttle_classes = (PersonThrottle,)

    def person(self) -> User:
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user

    def story(self, story_id: UUID) -> Story:
        with as_problems():
            return selectors.get_story(self.person(), story_id)

    def answer(self, story: Story, status: int = 200, **headers: str) -> Response:
        """The story as it is now, after a change."""
        return self.show(self.story(story.pk), status, **headers)

    def show(self, story: Story, status: int = 200, **headers: str) -> Response:
        return Response(present_stories([story], self.request)[0], status=status, headers=headers)


class StoryListView(StoriesView):
    parser_classes = (MultiPartParser,)
    pagination_class = HistoryPages

    def get_throttles(self) -> list[BaseThrottle]:
        extra: list[BaseThrottle] = [UploadThrottle()] if self.request.method == "POST" else []
        return [*super().get_throttles(), *extra]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before the body is read, so that a form that is too large never reaches the disk.
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_VIDEO_BYTES + _FORM_OVERHEAD:
            raise Refused(413, TOO_LARGE, "too_large")
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="stories_create",
        tags=["stories"],
        request={"multipart/form-data": UploadSerializer},
        responses={202: StorySerializer},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The same key, photo and caption return the same story.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Upload a photo or video with a caption, to be analysed in the background."""
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_problems():
            story = services.create_story(
                user=self.person(),
                upload=form.validated_data["photo"],
                caption=form.validated_data["caption"],
                idempotency_key=_idempotency_key(request),
            )
        location = request.build_absolute_uri(reverse("api-story", args=[story.pk]))
        return self.answer(story, 202, Location=location)

    @extend_schema(
        operation_id="stories_list",
        tags=["stories"],
        responses=StorySerializer(many=True),
        parameters=[OpenApiParameter("cursor", OpenApiTypes.STR)],
    )
    def get(self, request: Request) -> Response:
        """The history, newest first."""
        pages = HistoryPages()
        page = pages.paginate_queryset(selectors.history(self.person()), request, view=self)
        return pages.get_paginated_response(present_stories(page or [], request))


class StoryView(StoriesView):
    parser_classes = (StrictJSONParser,)

    @extend_schema(operation_id="stories_retrieve", tags=["stories"], responses=StorySerializer)
    def get(self, _request: Request, story_id: UUID) -> Response:
        """Get a story: its status, tags, mood and suggestions."""
        return self.show(self.story(story_id))

    @extend_schema(
        operation_id="stories_correct",
        tags=["stories"],
        request=CorrectionSerializer,
        responses=StorySerializer,
    )
    def patch(self, request: Request, story_id: UUID) -> Response:
        """Correct tags or the mood point; this updates the suggestions at once."""
        story = self.story(story_id)
        form = CorrectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_problems():
            services.correct_story(story=story, user=self.person(), **form.validated_data)
        return self.answer(story)

    @extend_schema(operation_id="stories_delete", tags=["stories"], responses={204: None})
    def delete(self, _request: Request, story_id: UUID) -> Response:
        """Delete the story, its photo and everything derived from it."""
        services.delete_story(story=self.story(story_id))
        return Response(status=204)


class StorySuggestionsView(StoriesView):
    @extend_schema(
        operation_id="stories_suggestions",
        tags=["stories"],
        responses=SuggestionSerializer(many=True),
    )
    def get(self, _request: Request, story_id: UUID) -> Response:
        """List the story's suggestions, best first; empty until it's ready."""
        story = self.story(story_id)
        return Response(present_suggestions([story.pk]).get(story.pk, []))


class StoryMusicView(StoriesView):
    parser_classes = (StrictJSONParser,)

    @extend_schema(
        operation_id="stories_music_retrieve", tags=["stories"], responses=StoryMusicSerializer
    )
    def get(self, _request: Request, story_id: UUID) -> Response:
        """Get the story's steering, whose music it may be, and whether Storify learns from it."""
        return Response(StoryMusicSerializer(story_tuning(self.story(story_id).pk)).data)

    @extend_schema(
        operation_id="stories_music_update",
        tags=["stories"],
        request=StoryMusicSerializer,
        responses=StoryMusicSerializer,
    )
    def patch(self, request: Request, story_id: UUID) -> Response:
        """Set steering or music, which updates the suggestions, or whether Storify learns."""
        story = self.story(story_id)
        form = StoryMusicSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_problems():
            services.tune_story(story=story, user=self.person(), **form.validated_data)
        return Response(StoryMusicSerializer(story_tuning(story.pk)).data)


class StoryChoiceView(StoriesView):
    parser_classes = (StrictJSONParser,)

    @extend_schema(
        operation_id="stories_choose",
        tags=["stories"],
        request=ChoiceSerializer,
        responses={201: ChoiceSerializer},
    )
    def post(self, request: Request, story_id: UUID) -> Response:
        """Save a track with the story, replacing an earlier one."""
        story = self.story(story_id)
        form = ChoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_problems():
            save = (
                services.save_spotify_choice
                if "spotify_id" in form.validated_data
                else services.save_choice
            )
            choice = save(story=story, **form.validated_data)
        return Response(ChoiceSerializer(choice).data, status=201)

    @extend_schema(operation_id="stories_unchoose", tags=["stories"], responses={204: None})
    def delete(self, _request: Request, story_id: UUID) -> Response:
        """Remove the saved track."""
        story = self.story(story_id)
        with as_problems():
            services.remove_choice(story=story)
        return Response(status=204)


class StoryRetryView(StoriesView):
    @extend_schema(
        operation_id="stories_retry",
        tags=["stories"],
        request=None,
        responses={202: StorySerializer},
    )
    def post(self, _request: Request, story_id: UUID) -> Response:
        """Retry a failed analysis."""
        with as_problems():
            story = services.retry_story(story=self.story(story_id))
        return self.answer(story, 202)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > _MAX_KEY or not key.isprintable():
        raise ValidationError({"Idempotency-Key": ["Use at most 200 plain characters."]})
    return key or None
