"""Users, their Spotify accounts and API tokens."""

from collections import Counter
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils import timezone

from accounts import login_throttle
from accounts.fields import EncryptedTextField
from accounts.spotify.scopes import Purpose


class UserQuerySet(models.QuerySet["User"]):
    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each user with User.delete, which also deletes their files."""
        deleted: Counter[str] = Counter()
        for user in self.order_by("pk"):
            deleted.update(user.delete()[1])
        return deleted.total(), dict(deleted)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def create_user(
        self, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        """Create a user; without a password they can sign in with Spotify only."""
        user = self.model(email=self.normalize_email(email) or None, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        # NULL would match every user without an address.
        return self.get(email=self.normalize_email(username))


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField("e-mail address", unique=True, null=True, blank=True)
    display_name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    faces_consent = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether emotion may be estimated from faces; unknown until asked.",
    )
    faces_consent_at = models.DateTimeField(null=True, blank=True)
    improve_consent = models.BooleanField(
        default=False, help_text="Whether staff may review their photos to improve tagging."
    )
    improve_consent_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.get_short_name()

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalize_email(self.email) or None

    @transaction.atomic
    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the user with everything that every app stores about them, files included."""
        from django.contrib.admin.models import LogEntry
        from django.contrib.contenttypes.models import ContentType

        from accounts import personal_data

        # Lock the user first: a concurrent transaction that adds a row about them either finishes
        # before, or fails at its commit because they're gone.
        User.objects.select_for_update().filter(pk=self.pk).first()
        # In reverse order of registration: later apps depend on earlier ones, and lock first.
        for part in reversed([*personal_data.parts()]):
            part.erase(self)
        # The log of what staff did keeps names of its own.
        logged = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(User), object_id=str(self.pk)
        )
        logged.update(object_repr=f"user {self.pk}")
        return super().delete(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """Check the password as one of a limited number of attempts.

        Raises TooManyAttempts.
        """
        counters = login_throttle.confirmation_counters(self.pk)
        return login_throttle.guess(counters, lambda: self.matches_password(raw_password))

    async def acheck_password(self, raw_password: str | None) -> bool:
        return await sync_to_async(self.check_password)(raw_password)

    def matches_password(self, raw_password: str | None) -> bool:
        """Check the password without counting; for the backend, which has counted already."""
        return super().check_password(raw_password)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password = ""  # marks a replaced password for save(), as set_password does

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user, and revoke their API tokens if the password was replaced.

        It's here because Django's own forms, admin and commands replace passwords with this method.
        Sessions end by themselves, because each carries a hash of the password.
        """
        replaced = self._password is not None and not self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if replaced:
                self.api_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())

    def get_short_name(self) -> str:
        return self.display_name or self.email or f"Listener {self.pk}"

    def get_full_name(self) -> str:
        return self.get_short_name()


class SpotifyAccount(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="spotify")
    account_id = models.CharField(
        max_length=255, unique=True, help_text="Spotify's account_id, else its id."
    )
    spotify_id = models.CharField(
        max_length=255, blank=True, help_text="Spotify's id, by which it names a playlist's owner."
    )
    display_name = models.CharField(max_length=255, blank=True)
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField()
    scopes = models.TextField(blank=True, help_text="Granted scopes, separated by spaces.")
    purposes = ArrayField(
        models.CharField(max_length=20, choices=[(one.value, one.name) for one in Purpose]),
        default=list,
        blank=True,
        help_text="What the person allowed on Storify's own page and hasn't taken back.",
    )
    needs_sign_in = models.BooleanField(default=False)
    connected_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.display_name or self.account_id


class ApiToken(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token.")
    label = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.label
