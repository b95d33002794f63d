import pytest
from django.contrib.auth import get_user
from django.test import Client

from accounts import login_throttle
from tests.factories import make_spotify_account, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "violet-tram-42"


def signed_in(client: Client) -> bool:
    return bool(get_user(client).is_authenticated)


def test_signing_in_ignores_case_of_the_address_and_goes_on_to_next(client: Client) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)

    response = client.post(
        "/accounts/sign-in/?next=/stories/", {"username": "ADA@storify.test", "password": PASSWORD}
    )

    assert response["Location"] == "/stories/"
    assert signed_in(client)


def test_next_never_leads_to_another_site(client: Client) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    data = {"username": "ada@storify.test", "password": PASSWORD, "next": "https://evil.test/"}

    signed = client.post("/accounts/sign-in/", data)
    answered = client.post("/accounts/notice/", {"agreed": "yes", "next": "//evil.test/"})

    assert signed["Location"] == answered["Location"] == "/"


def test_signing_out_needs_a_post_and_ends_the_session(client: Client) -> None:
    client.force_login(make_user())

    assert client.get("/accounts/sign-out/").status_code == 405
    client.post("/accounts/sign-out/")

    assert not signed_in(client)


def test_too_many_wrong_passwords_shut_the_door_even_for_the_right_one(client: Client) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    for _ in range(login_throttle.LIMIT_BOTH):
        wrong = client.post(
            "/accounts/sign-in/", {"username": "ada@storify.test", "password": "wrong"}
        )
        assert "don&#x27;t match" in wrong.content.decode()

    right = {"username": "ada@storify.test", "password": PASSWORD}
    shut = client.post("/accounts/sign-in/", right)

    assert "Too many wrong passwords" in shut.content.decode()
    assert not signed_in(client)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    elsewhere.post("/accounts/sign-in/", right)
    assert signed_in(elsewhere), "one network must not lock somebody out of all the others"


def test_claimed_forwarding_addresses_do_not_escape_the_limit(client: Client) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    for number in range(login_throttle.LIMIT_BOTH):
        client.post(
            "/accounts/sign-in/",
            {"username": "ada@storify.test", "password": "wrong"},
            headers={"x-forwarded-for": f"192.0.2.{number}"},
        )

    shut = client.post("/accounts/sign-in/", {"username": "ada@storify.test", "password": PASSWORD})

    assert "Too many wrong passwords" in shut.content.decode()


def test_somebody_with_spotify_only_cannot_be_signed_in_without_an_address(client: Client) -> None:
    make_user(email=None, display_name="Mira")

    client.post("/accounts/sign-in/", {"username": "", "password": ""})

    assert not signed_in(client)


@pytest.mark.parametrize(("answer", "stored"), [("yes", True), ("no", False)])
def test_the_notice_stores_answer_and_time(client: Client, answer: str, stored: bool) -> None:
    user = make_user(faces_consent=None)
    client.force_login(user)
    assert "estimates an emotion" in client.get("/accounts/notice/").content.decode()

    response = client.post("/accounts/notice/", {"agreed": answer, "next": "/accounts/"})

    user.refresh_from_db()
    assert response["Location"] == "/accounts/"
    assert user.faces_consent is stored
    assert user.faces_consent_at is not None


def test_the_notice_without_an_answer_stores_nothing(client: Client) -> None:
    user = make_user(faces_consent=None)
    client.force_login(user)

    response = client.post("/accounts/notice/", {})

    user.refresh_from_db()
    assert "choose yes or no" in response.content.decode()
    assert user.faces_consent is None


def test_every_account_page_sends_strangers_to_sign_in(client: Client) -> None:
    for page in ("", "notice/", "spotify/disconnect/", "password/", "password/change/", "delete/"):
        response = client.get(f"/accounts/{page}")
        assert response["Location"].startswith("/accounts/sign-in/?next="), page


def test_staff_find_people_by_address_and_see_no_tokens(admin_client: Client) -> None:
    make_spotify_account(make_user(email="ada@storify.test"), access_token="seen-by-nobody")

    found = admin_client.get("/admin/accounts/user/?q=ada@storify").content.decode()
    listed = admin_client.get("/admin/accounts/spotifyaccount/?q=ada@").content.decode()
    account = make_spotify_account(access_token="seen-by-nobody")
    one = admin_client.get(f"/admin/accounts/spotifyaccount/{account.pk}/change/")

    assert "ada@storify.test" in found
    assert "1 spotify account" in listed
    assert one.status_code == 200
    assert "seen-by-nobody" not in one.content.decode()
    assert "refresh-1" not in one.content.decode()


@pytest.mark.parametrize(
    ("needs_sign_in", "words"), [(False, "Connected as"), (True, "has expired")]
)
def test_the_account_page_says_how_things_stand_with_spotify(
    client: Client, needs_sign_in: bool, words: str
) -> None:
    user = make_user(faces_consent=None)
    client.force_login(user)
    page = client.get("/accounts/").content.decode()
    assert "Connect Spotify to sign in with it, too." in page

    make_spotify_account(user, display_name="Mira Solberg", needs_sign_in=needs_sign_in)
    page = client.get("/accounts/").content.decode()

    assert "Mira Solberg" in page
    assert words in page
    assert ("Connect Spotify again" in page) is needs_sign_in
    assert "You haven't decided yet" in page
