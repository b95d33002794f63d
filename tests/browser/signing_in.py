from __future__ import annotations

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User


def sign_in(page: Page, client: Client, user: User, site: str) -> None:
    """Give the window a session without going through the sign-in pages."""
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}]
    )
