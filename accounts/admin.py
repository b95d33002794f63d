"""Admin pages for users and their Spotify accounts."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from social_django.models import Association, Nonce, UserSocialAuth

from accounts import services
from accounts.models import ApiToken, SpotifyAccount, User

# Internals of the sign-in library, of no use to staff.
for model in (Association, Nonce, UserSocialAuth):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin:
    """Lets staff view and delete rows, but not add or change them."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False


class ApiTokenInline(ReadOnlyAdmin, admin.TabularInline):  # type: ignore[type-arg]
    model = ApiToken
    fields = ("label", "created_at", "last_used_at", "revoked_at")
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "email", "spotify_name", "faces_consent", "is_staff", "date_joined")
    list_filter = ("is_staff", "is_active", "faces_consent", "date_joined")
    list_select_related = ("spotify",)
    search_fields = ("email", "display_name", "spotify__display_name", "spotify__account_id")
    ordering = ("-date_joined",)
    readonly_fields = (
        *("last_login", "date_joined"),
        *("faces_consent", "faces_consent_at", "improve_consent", "improve_consent_at"),
    )
    inlines: ClassVar = [ApiTokenInline]
    fieldsets = (
        (None, {"fields": ("email", "display_name", "password")}),
        ("Faces", {"fields": ("faces_consent", "faces_consent_at")}),
        ("Review of tags", {"fields": ("improve_consent", "improve_consent_at")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        changed = request.method == "POST" and response.status_code == HTTPStatus.FOUND
        if changed and response["Location"] != request.get_full_path():
            messages.info(request, "They're signed out everywhere, and their API tokens revoked.")
        return response

    @admin.display(description="Spotify", ordering="spotify__display_name")
    def spotify_name(self, user: User) -> str:
        account = getattr(user, "spotify", None)
        return str(account) if account else ""

    def delete_model(self, request: HttpRequest, obj: User) -> None:  # noqa: ARG002
        services.delete_account(user=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:  # noqa: ARG002
        for user in queryset:
            services.delete_account(user=user)

    def get_deleted_objects(
        self,
        objs: Sequence[User] | QuerySet[User],
        request: HttpRequest,  # noqa: ARG002
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Summarise what a deletion includes in one line per user.

        Nothing is listed as protected: read-only logs are deleted with their user.
        """
        people = [
            f"{user}, with their stories, photos, videos, saved music and all other data"
            for user in objs
        ]
        return people, {str(User._meta.verbose_name_plural): len(people)}, set(), []


@admin.register(SpotifyAccount)
class SpotifyAccountAdmin(ReadOnlyAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Spotify accounts, without their tokens.

    They're disconnected by their owner, or deleted with the user: what came from them goes, too.
    """

    list_display = ("display_name", "account_id", "user", "needs_sign_in", "connected_at")
    list_filter = ("needs_sign_in",)
    list_select_related = ("user",)
    search_fields = ("display_name", "account_id", "user__email")
    fields = (*list_display, "spotify_id", "purposes", "scopes", "expires_at")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False
