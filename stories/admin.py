# ruff: noqa: ARG002 - the signatures are the admin's
"""Admin pages of stories, analyses and tag events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from stories import selectors, services
from stories.models import Analysis, Photo, Story, TagEvent
from stories.pages.access import may_open_all
from stories.pages.mood_plane import plane
from stories.pages.presenters import face_boxes
from stories.pages.story_page import shown_tags


class ReadOnlyInline(admin.StackedInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AnalysisInline(ReadOnlyInline):
    model = Analysis
    verbose_name = "analysis as it is stored"
    classes = ("collapse",)
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


class TagEventInline(admin.TabularInline):  # type: ignore[type-arg]
    model = TagEvent
    extra = 0
    can_delete = False
    verbose_name_plural = "history of the tags, newest first"
    fields = ("source", "tag", "before", "after", "actor", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Story)
class StoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("thumbnail", "id", "user", "status", "tags", "created_at")
    list_display_links = ("id",)
    list_filter = ("status", "created_at")
    list_select_related = ("user", "photo", "analysis")
    search_fields = ("id", "user__email", "user__display_name")
    search_help_text = "The id of a story, or a person's e-mail address or name"
    date_hierarchy = "created_at"
    inlines = (TagEventInline, AnalysisInline)
    actions = ("try_again",)
    fields = (
        "picture",
        "user",
        "caption",
        "status",
        "error",
        "overview",
        "created_at",
        "ready_at",
    )
    progress = ("stage", "attempts", "enqueued_at", "claimed_at")
    readonly_fields = (*fields, *progress)

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["css/admin_story.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._permitted(request, self.list_display)

    def get_fieldsets(self, request: HttpRequest, obj: Story | None = None) -> Any:
        shown = self._permitted(request, self.fields)
        progress = {"fields": self.progress, "classes": ["collapse"]}
        return [(None, {"fields": shown}), ("Progress", progress)]

    def _permitted(self, request: HttpRequest, columns: Sequence[str]) -> list[Any]:
        """Show the photo, or nothing to staff who may not open photos."""
        allowed = may_open_all(cast(User, request.user), Photo)
        return [name for name in columns if allowed or name not in {"thumbnail", "picture"}]

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

    @admin.display(description="photo")
    def picture(self, story: Story) -> str:
        if not isinstance(getattr(story, "photo", None), Photo):
            return "–"
        # Faces move in a video, so their boxes aren't shown.
        analysis = None if selectors.video_of(story) else selectors.analysis_of(story)
        faces = face_boxes(analysis.faces) if analysis else []
        return render_to_string("admin/stories/_picture.html", {"story": story, "faces": faces})

    @admin.display(description="tags and mood")
    def overview(self, story: Story) -> str:
        mood, words = selectors.mood_of(story), selectors.mood_words_of(story)
        if mood is None or words is None:
            return "–"
        shown = {"story": story, "plane": plane(mood, words, [], None), **shown_tags(story)}
        return render_to_string("admin/stories/_overview.html", shown)

    # Deleting rows in bulk would leave files and suggestions.
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
        return False
