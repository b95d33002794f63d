from collections import Counter
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.utils import timezone

from accounts import login_throttle
from accounts.fields import EncryptedTextField


class UserQuerySet(models.QuerySet["User"]):
    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each person as User.delete does: the rows alone would leave their files."""
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
        """Make a user; without a password they sign in through Spotify only."""
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
        # Without an address there is nobody to find: NULL is many people, not one.
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
        """Delete the person with everything that every app keeps about them, files included."""
        from accounts import personal_data

        # First of all locks: whoever adds a row about this person meanwhile is waited for, or
        # finds at the commit that the person is gone.
        User.objects.select_for_update().filter(pk=self.pk).first()
        # The last to register builds on those before, and locks first: see recommender.locks.
        for part in reversed([*personal_data.parts()]):
            part.erase(self)
        return super().delete(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """Compare, as one of a limited number of guesses: whichever form or page asks for it.

        Raises TooManyAttempts.
        """
        counters = login_throttle.confirmation_counters(self.pk)
        return login_throttle.guess(counters, lambda: self.matches_password(raw_password))

    async def acheck_password(self, raw_password: str | None) -> bool:
        return await sync_to_async(self.check_password)(raw_password)

    def matches_password(self, raw_password: str | None) -> bool:
        """Compare without counting; only for the backend, which has counted already."""
        return super().check_password(raw_password)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password = ""  # Django's mark of a password that is replaced, see save()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the person; where the password is replaced, their API tokens end with it.

        Here because Django's own forms, admin and commands replace passwords through this method.
        Sessions end by themselves: each carries a hash of the password.
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
    display_name = models.CharField(max_length=255, blank=True)
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField()
    scopes = models.TextField(blank=True, help_text="Granted scopes, separated by spaces.")
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
