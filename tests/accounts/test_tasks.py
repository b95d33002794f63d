from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from social_django.models import Nonce

from accounts.tasks import forget_expired, mail_confirmation
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_only_what_has_run_out_is_forgotten(client: Client, settings: LazySettings) -> None:
    client.force_login(make_user())
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.create()
    Session.objects.filter(pk=store.session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )
    now = int(timezone.now().timestamp())
    for age in (60, 3 * 24 * 3600):
        Nonce.objects.create(server_url="x", timestamp=now - age, salt=str(age))

    forget_expired()

    assert [session.pk for session in Session.objects.all()] == [client.session.session_key]
    assert list(Nonce.objects.values_list("salt", flat=True)) == ["60"]


def test_the_clock_knows_the_task(settings: LazySettings) -> None:
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert forget_expired.name in tasks


def test_mail_to_a_server_that_hangs_is_tried_again(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < settings.EMAIL_TIMEOUT < settings.CELERY_TASK_SOFT_TIME_LIMIT / 3
    tries: list[float] = []

    def connect(_address: Any, timeout: float, *_: Any) -> None:
        tries.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", connect)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "mail.example"

    mail_confirmation.apply(args=("ada@storify.test",))

    assert tries == [settings.EMAIL_TIMEOUT] * (1 + mail_confirmation.max_retries)


def test_mails_that_failed_together_are_tried_again_at_different_times(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError

    waits: list[int] = []

    def retry(*, exc: Exception, countdown: int) -> Exception:
        waits.append(countdown)
        return exc

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr(mail_confirmation, "retry", retry)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "mail.example"

    for _ in range(20):
        with pytest.raises(ConnectionRefusedError):
            mail_confirmation.run("ada@storify.test")

    assert len(set(waits)) > 1
    assert max(waits) <= 30
