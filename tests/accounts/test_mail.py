"""Sites without a mail server: what people and operators are told."""

import pytest
from django.core.mail import send_mail
from django.test import Client
from pytest_django import Settings

from accounts.checks import mail_reaches_people
from accounts.mail.backend import NOT_SET_UP, MailNotSetUpError

BACKENDS = "django.core.mail.backends"


def test_mail_without_a_server_is_refused_and_printed_nowhere(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = NOT_SET_UP

    with pytest.raises(MailNotSetUpError, match="EMAIL_URL isn't set"):
        send_mail("Your link", "https://secret.example", None, ["a@b.test"])
    assert "secret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("method", ["get", "post"])
def test_reset_without_a_mail_server_says_so(
    settings: Settings, client: Client, method: str
) -> None:
    settings.EMAIL_BACKEND = NOT_SET_UP
    response = getattr(client, method)("/accounts/password/reset/")

    assert response.status_code == 503
    assert "no mail server is set up" in response.content.decode()


@pytest.mark.parametrize(
    "backend", [NOT_SET_UP, f"{BACKENDS}.console.EmailBackend", f"{BACKENDS}.dummy.EmailBackend"]
)
def test_deploy_check_refuses_a_site_without_a_mail_server(
    settings: Settings, backend: str
) -> None:
    settings.EMAIL_BACKEND = backend
    (error,) = mail_reaches_people()

    assert (error.id, error.is_serious()) == ("accounts.E002", True)


def test_deploy_check_accepts_a_mail_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{BACKENDS}.smtp.EmailBackend"

    assert mail_reaches_people() == []
