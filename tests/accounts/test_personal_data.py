import io
import json
import logging
import zipfile
from collections.abc import Iterable
from contextlib import nullcontext
from typing import BinaryIO

import pytest
from django.apps import apps
from django.contrib.auth import get_user
from django.db import OperationalError, connection
from django.test import Client
from social_django.models import UserSocialAuth

from accounts import personal_data, services
from accounts.models import ApiToken, SpotifyAccount, User
from accounts.transactions import ATTEMPTS
from tests.accounts.conftest import Wire, mailed_link, sign_in_with_spotify
from tests.factories import make_spotify_account, make_user

pytestmark = pytest.mark.django_db


class Diary:
    """A fake app that stores data about people."""

    def __init__(self) -> None:
        self.erased: list[int] = []
        self.erased_spotify: list[int] = []

    def export(self, user: User) -> Iterable[tuple[str, bytes | BinaryIO]]:
        yield "diary/entries.json", b"[]"
        yield "diary/photo.jpg", io.BytesIO(b"\xff\xd8" + b"x" * 100_000)

    def erase(self, user: User) -> None:
        self.erased.append(user.pk)

    def erase_spotify(self, user: User) -> None:
        self.erased_spotify.append(user.pk)


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    """Register only the diary, whatever other apps there are."""
    monkeypatch.setattr(personal_data, "_parts", {})
    diary = Diary()
    personal_data.register(
        "diary", export=diary.export, erase=diary.erase, erase_spotify=diary.erase_spotify
    )
    return diary


def connected_person(**extra: object) -> User:
    user = make_user(password="violet-tram-42", **extra)
    account = make_spotify_account(user)
    UserSocialAuth.objects.create(user=user, provider="spotify", uid=account.account_id)
    return user


# --- disconnecting ---


def test_disconnecting_deletes_tokens_link_and_derived_rows_at_once(
    client: Client, diary: Diary
) -> None:
    user, other = connected_person(), connected_person()
    client.force_login(user)

    response = client.post("/accounts/spotify/disconnect/")

    assert response["Location"] == "/accounts/"
    assert SpotifyAccount.objects.get().user == other
    assert UserSocialAuth.objects.get().user == other
    assert diary.erased_spotify == [user.pk]
    assert not diary.erased


def test_disconnecting_asks_first(client: Client, diary: Diary) -> None:
    client.force_login(connected_person())

    client.get("/accounts/spotify/disconnect/")

    assert SpotifyAccount.objects.exists()
    assert not diary.erased_spotify


@pytest.mark.parametrize("address", ["/accounts/spotify/disconnect/", "/oauth/disconnect/spotify/"])
def test_nobody_locks_themselves_out(client: Client, diary: Diary, address: str) -> None:
    user = make_spotify_account(make_user(email=None)).user
    client.force_login(user)

    page = client.post(address).content.decode()

    assert "Spotify is the only way you can sign in" in page
    assert SpotifyAccount.objects.exists()
    assert not diary.erased_spotify


def test_social_auths_own_address_disconnects_just_as_completely(
    client: Client, diary: Diary
) -> None:
    user = connected_person()
    client.force_login(user)

    response = client.post("/oauth/disconnect/spotify/")

    assert response["Location"].endswith("/accounts/")
    assert not SpotifyAccount.objects.exists()
    assert not UserSocialAuth.objects.exists()
    assert diary.erased_spotify == [user.pk]


def test_after_adding_a_password_somebody_from_spotify_may_disconnect(
    wire: Wire, browser: Client, diary: Diary
) -> None:
    sign_in_with_spotify(browser, "mira")
    new = "violet-tram-42"

    browser.post("/accounts/password/", {"email": "Mira@storify.test"})
    browser.get(mailed_link())
    browser.post("/accounts/confirm/", {"new_password1": new, "new_password2": new})
    browser.post("/accounts/spotify/disconnect/")

    assert not SpotifyAccount.objects.exists()
    assert User.objects.get().display_name == "", "the name came from Spotify and goes with it"
    browser.post("/accounts/sign-out/")
    browser.post("/accounts/sign-in/", {"username": "mira@storify.test", "password": new})
    assert get_user(browser) == User.objects.get()


def test_a_password_cannot_be_replaced_without_knowing_it(client: Client) -> None:
    user = make_user(password="violet-tram-42")
    client.force_login(user)
    new = "amber-ferry-77"

    detour = client.post("/accounts/password/", {"email": user.email})
    client.post(
        "/accounts/password/change/",
        {"old_password": "wrong", "new_password1": new, "new_password2": new},
    )

    assert detour["Location"] == "/accounts/password/change/"
    user.refresh_from_db()
    assert user.check_password("violet-tram-42")


# --- export ---


def exported(client: Client) -> zipfile.ZipFile:
    response = client.post("/accounts/export/")
    assert response.headers["Content-Disposition"] == 'attachment; filename="storify.zip"'
    assert response.streaming
    return zipfile.ZipFile(io.BytesIO(response.getvalue()))


def test_the_export_holds_the_account_and_every_registered_part(
    client: Client, diary: Diary
) -> None:
    user = connected_person(display_name="Ada Ä")
    _, plain = services.issue_api_token(user=user, label="My phone")
    client.force_login(user)

    archive = exported(client)

    assert archive.testzip() is None
    assert archive.namelist() == ["account.json", "diary/entries.json", "diary/photo.jpg"]
    assert len(archive.read("diary/photo.jpg")) == 100_002
    account = json.loads(archive.read("account.json"))
    assert account["email"] == user.email
    assert account["display_name"] == "Ada Ä"
    assert account["faces_consent"] is True
    assert account["spotify"]["account_id"] == user.spotify.account_id
    assert account["api_tokens"][0]["label"] == "My phone"
    text = archive.read("account.json").decode()
    for secret in ("access-1", "refresh-1", plain, user.password):
        assert secret not in text


def test_the_export_is_for_its_owner_only_and_not_a_link(client: Client) -> None:
    assert client.post("/accounts/export/")["Location"].startswith("/accounts/sign-in/")
    client.force_login(make_user())
    assert client.get("/accounts/export/").status_code == 405


# --- deletion ---


def test_deletion_leaves_no_row_that_belongs_to_the_person(client: Client, diary: Diary) -> None:
    user = connected_person()
    services.issue_api_token(user=user, label="My phone")
    client.force_login(user)

    response = client.post("/accounts/delete/", {"confirmation": "violet-tram-42"})

    assert response["Location"] == "/accounts/sign-in/"
    assert diary.erased == [user.pk]
    assert not get_user(client).is_authenticated
    for model in (User, SpotifyAccount, ApiToken, UserSocialAuth):
        assert not model.objects.exists(), model
    assert rows_that_point_at(user.pk) == {}


def rows_that_point_at(pk: int) -> dict[str, int]:
    """For every table with a foreign key to users, the number of rows that refer to this one."""
    found = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model is User:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f'SELECT count(*) FROM "{model._meta.db_table}" '
                        f'WHERE "{field.column}" = %s',
                        [pk],
                    )
                    count = cursor.fetchone()[0]
                if count:
                    found[f"{model._meta.db_table}.{field.column}"] = count
    return found


@pytest.mark.parametrize(
    ("extra", "typed", "gone"),
    [
        ({"password": "violet-tram-42"}, "wrong", False),
        ({"password": "violet-tram-42"}, "delete", False),
        ({"password": "violet-tram-42"}, "", False),
        ({"email": None}, "yes", False),
        ({"email": None}, " Delete ", True),
    ],
)
def test_deletion_is_confirmed_by_password_or_by_typing_the_word(
    client: Client, diary: Diary, extra: dict[str, str | None], typed: str, gone: bool
) -> None:
    user = make_user(**extra)
    client.force_login(user)

    client.post("/accounts/delete/", {"confirmation": typed})

    assert User.objects.filter(pk=user.pk).exists() is not gone
    assert bool(diary.erased) is gone


def test_a_part_that_cannot_be_erased_stops_the_whole_deletion(diary: Diary) -> None:
    def broken(user: User) -> None:
        raise OSError("the disk is full")

    personal_data.register("broken", export=lambda user: [], erase=broken)
    user = connected_person()

    with pytest.raises(OSError, match="disk"):
        services.delete_account(user=user)

    assert User.objects.filter(pk=user.pk).exists()
    assert SpotifyAccount.objects.filter(user=user).exists()


DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("deadlocks", "gone"), [(1, True), (ATTEMPTS - 1, True), (ATTEMPTS, False)]
)
def test_a_deletion_that_the_database_breaks_off_is_tried_again_and_not_for_ever(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, deadlocks: int, gone: bool
) -> None:
    user = connected_person()
    tries: list[int] = []

    def erase(user: User) -> None:
        tries.append(user.pk)
        if len(tries) <= deadlocks:
            with connection.cursor() as cursor:
                cursor.execute(DEADLOCK)

    personal_data.register("busy", export=lambda user: [], erase=erase)
    with nullcontext() if gone else pytest.raises(OperationalError):
        services.delete_account(user=user)
    assert User.objects.exists() is not gone
    assert SpotifyAccount.objects.exists() is not gone


def test_withdrawn_consent_reaches_every_part_and_an_agreement_none(diary: Diary) -> None:
    result: list[tuple[int, bool | None]] = []
    personal_data.register(
        "faces",
        export=lambda user: [],
        erase=lambda user: None,
        erase_faces=lambda user: result.append((user.pk, user.faces_consent)),
    )
    user = make_user(faces_consent=None)
    services.record_faces_consent(user=user, agreed=True)
    services.record_faces_consent(user=user, agreed=False)
    assert result == [(user.pk, False)]


def test_other_apps_really_take_part() -> None:
    names = {part.name for part in personal_data.parts()}

    assert {"music", "stories"} <= names


def test_export_and_deletion_log_nothing_personal(
    client: Client, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="accounts")
    user = connected_person(email="ada@storify.test")
    client.force_login(user)

    exported(client)
    client.post("/accounts/delete/", {"confirmation": "violet-tram-42"})

    assert not User.objects.exists()
    assert "ada@storify.test" not in caplog.text
