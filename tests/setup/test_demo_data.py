"""The demo people of a local site, and their absence on a public one."""

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing three hundred tracks is tested elsewhere."""
    command = "storify_site.management.commands.load_demo_data.call_command"
    monkeypatch.setattr(command, lambda *_args, **_options: None)


def test_demo_people_can_sign_in_and_have_agreed_to_faces(
    settings: LazySettings, catalogue: None
) -> None:
    settings.DEBUG = True
    for _ in range(2):
        call_command("load_demo_data", verbosity=0)
    people = {person.email: person for person in User.objects.all()}
    assert people.keys() == {"demo@storify.test", "staff@storify.test"}
    assert people["staff@storify.test"].is_staff
    assert not people["demo@storify.test"].is_staff
    assert all(person.faces_consent and person.faces_consent_at for person in people.values())
    answer = APIClient().post(
        "/api/v1/auth/token", {"email": "demo@storify.test", "password": "storify-demo"}
    )
    assert "token" in answer.json()


def test_demo_people_are_never_made_with_debug_off(settings: LazySettings, catalogue: None) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("load_demo_data", verbosity=0)
    assert not User.objects.exists()
