# ruff: noqa: ARG002 - the signatures are the admin's
"""Admin pages of stories, analyses and tag events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from stories import selectors, services
from stories.models import Analysis, Photo, Story, TagEvent
from stories.pages.access import may_open_all


class ReadOnlyInline(admin.StackedInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AnalysisInline(ReadOnlyInline):
    model = Analysis
    fields = (
        "emotion_label",
        "emotion",
        "emotion_set",
        "corrected_emotion",
        "action_label",
        "action",
        "corrected_action",
        "intensity",
        "caption",
        "caption_mood",
        "scene",
        "faces",
        "moments",
        "mood_valence",
        "mood_energy",
        "mood_spread",
        "mood_set_by_hand",
        "versions",
        "created_at",
    )
    readonly_fields = fields


class TagEventInline(ReadOnlyInline):
    model = TagEvent
    verbose_name_plural = "history of the tags, newest first"
    fields = ("source", "tag", "before", "after", "actor", "created_at")
    readonly_fields = fields


@admin.register(Story)
class StoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("thumbnail", "id", "user", "status", "tags", "created_at")
    list_display_links = ("id",)
    list_filter = ("status", "created_at")
    list_select_related = ("user", "photo", "analysis")
    search_fields = ("id", "user__email", "user__display_name")
    search_help_text = "The id of a story, or a person's e-mail address or name"
    date_hierarchy = "created_at"
    inlines = (AnalysisInline, TagEventInline)
    actions = ("try_again",)
    fields = (
        "thumbnail",
        "user",
        "caption",
        "status",
        "stage",
        "error",
        "attempts",
        "mood",
        "created_at",
        "enqueued_at",
        "claimed_at",
        "ready_at",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._permitted(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: Story | None = None) -> list[Any]:
        return self._permitted(request, self.fields)

    def _permitted(self, request: HttpRequest, columns: Sequence[str]) -> list[Any]:
        """No photo, and no broken picture in its place, for staff who may not open photos."""
        allowed = may_open_all(cast(User, request.user), Photo)
        return [name for name in columns if allowed or name != "thumbnail"]

    @admin.display(description="photo")
    def thumbnail(self, story: Story) -> str:
        if not isinstance(getattr(story, "photo", None), Photo):
            return "–"
        return format_html(
            '<a href="{}"><img src="{}" alt="photo of this story" height="80"></a>',
            reverse("stories:photo", args=[story.pk]),
            reverse("stories:thumbnail", args=[story.pk]),
        )

    @admin.display(description="tags")
    def tags(self, story: Story) -> str:
        tags = selectors.effective_tags(story)
        if tags is None:
            return "–"
        labels = [tags[kind]["label"] for kind in ("emotion", "action", "intensity")]
        return ", ".join(label or "none" for label in labels)

    @admin.display(description="mood")
    def mood(self, story: Story) -> str:
        mood = selectors.mood_of(story)
        return json.dumps(mood.to_json()) if mood else "–"

    # Rows alone are not the story: files and suggestions go with it, one story at a time.
    def delete_model(self, request: HttpRequest, obj: Story) -> None:
        services.delete_story(story=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        for story in queryset:
            services.delete_story(story=story)

    @admin.action(description="Analyse failed stories again")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        failed = queryset.filter(status=Story.Status.FAILED)
        for story in failed:
            services.retry_story(story=story)
        self.message_user(request, f"{len(failed)} stories are queued again.")


@admin.register(TagEvent)
class TagEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("created_at", "source", "tag", "before", "after", "actor", "story")
    list_filter = ("source", "tag", "created_at")
    list_select_related = ("actor", "story")
    search_fields = ("story__id", "actor__email", "actor__display_name")
    readonly_fields = ("story", "actor", "source", "tag", "before", "after", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The log goes with its story only; the page that deletes stories asks here too.
        return "/stories/story/" in request.path
