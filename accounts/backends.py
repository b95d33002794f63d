"""Authentication backend for e-mail address and password, with a limit on failed attempts.

Every caller of Django's `authenticate` uses it: the sign-in page, the API and the admin.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import login_throttle
from accounts.models import User, UserManager


class PasswordBackend(ModelBackend):
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the user with these credentials, or None.

        Raises TooManyAttempts, without checking anything, if the limit is reached.
        """
        email = UserManager.normalize_email(username or credentials.get(User.USERNAME_FIELD))
        if not email or password is None:
            return None
        counters = login_throttle.sign_in_counters(email, request)
        return login_throttle.guess(counters, lambda: self._person(email, password))

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        return await sync_to_async(self.authenticate)(request, username, password, **credentials)

    def _person(self, email: str, password: str) -> User | None:
        user = User.objects.filter(email=email).first()
        if user is None:
            User().set_password(password)  # takes as long as checking a real user's password
            return None
        fits = user.matches_password(password) and self.user_can_authenticate(user)
        return user if fits else None
