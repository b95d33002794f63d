import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import login_throttle, selectors, services
from accounts.models import ApiToken, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/auth/token"
STORIES = "/api/v1/stories/"
PASSWORD = "violet-tram-42"


@pytest.fixture
def ada() -> User:
    return make_user(email="ada@storify.test", password=PASSWORD)


def ask(client: Client, password: str = PASSWORD, email: str = "ada@storify.test") -> Any:
    return client.post(URL, {"email": email, "password": password}, content_type="application/json")


def use(client: Client, plain: str) -> int:
    return client.get(STORIES, headers={"authorization": f"Token {plain}"}).status_code


def test_address_and_password_give_a_token_that_works(client: Client, ada: User) -> None:
    response = ask(client, email="ADA@storify.test")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert use(client, response.json()["token"]) == 200


def test_only_a_digest_is_stored(client: Client, ada: User) -> None:
    plain = ask(client).json()["token"]

    token = ApiToken.objects.get()
    assert token.digest == hashlib.sha256(plain.encode()).hexdigest()
    assert len(plain) >= 43, "256 bits"
    assert plain not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@storify.test", "wrong"), ("nobody@storify.test", PASSWORD)],
)
def test_wrong_credentials_are_a_problem_that_does_not_say_which_was_wrong(
    client: Client, ada: User, email: str, password: str
) -> None:
    response = ask(client, password, email)

    assert response.status_code == 401
    assert response["Content-Type"].startswith("application/problem+json")
    problem = response.json()
    assert problem["detail"] == "The e-mail address or the password is wrong."
    assert not ApiToken.objects.exists()


def test_an_unknown_address_costs_as_much_hashing_as_a_wrong_password(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    ask(client, "wrong")
    known = len(hashed)
    ask(client, "wrong", "nobody@storify.test")

    assert known > 0
    assert len(hashed) == 2 * known


def test_a_person_without_password_gets_no_token(client: Client) -> None:
    make_user(email="mira@storify.test")

    assert ask(client, "", "mira@storify.test").status_code == 400
    assert ask(client, "x", "mira@storify.test").status_code == 401


def test_guessing_is_throttled_and_shares_its_count_with_the_page(
    client: Client, ada: User
) -> None:
    for _ in range(login_throttle.LIMIT_BOTH - 1):
        assert ask(client, "wrong").status_code == 401
    client.post("/accounts/sign-in/", {"username": "ada@storify.test", "password": "wrong"})

    shut = ask(client)

    assert shut.status_code == 429
    assert int(shut["Retry-After"]) == login_throttle.WINDOW_SECONDS
    assert shut.json()["detail"].startswith("Too many wrong passwords. Try again in 15 minutes")
    assert not ApiToken.objects.exists()


def test_a_stale_token_in_the_header_does_not_stop_signing_in(client: Client, ada: User) -> None:
    response = client.post(
        URL,
        {"email": "ada@storify.test", "password": PASSWORD},
        content_type="application/json",
        headers={"authorization": "Token stale"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize("header", ["Token wrong", "Token", "Token ÿ", "token  "])
def test_an_unknown_token_is_a_401(client: Client, header: str) -> None:
    response = client.get(STORIES, headers={"authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"


def test_a_revoked_token_stops_working(client: Client, ada: User) -> None:
    token, plain = services.issue_api_token(user=ada, label="My phone")
    assert use(Client(), plain) == 200
    client.force_login(ada)
    assert f"/tokens/{token.pk}/revoke/" in client.get("/accounts/").content.decode()

    client.post(f"/accounts/tokens/{token.pk}/revoke/")

    assert use(Client(), plain) == 401
    assert f"/tokens/{token.pk}/revoke/" not in client.get("/accounts/").content.decode()


def test_a_token_of_somebody_else_cannot_be_revoked(client: Client, ada: User) -> None:
    token, plain = services.issue_api_token(user=ada, label="My phone")
    client.force_login(make_user())

    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert use(Client(), plain) == 200


def test_a_closed_account_has_no_working_tokens(client: Client, ada: User) -> None:
    _, plain = services.issue_api_token(user=ada, label="My phone")
    User.objects.update(is_active=False)

    assert use(client, plain) == 401


def test_the_account_page_makes_a_token_and_shows_it_once(client: Client, ada: User) -> None:
    client.force_login(ada)

    page = client.post("/accounts/tokens/", {"label": "My watch"})

    plain = page.context["plain"]
    assert plain in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert selectors.find_api_token(plain) == ApiToken.objects.get(label="My watch")
    overview = client.get("/accounts/").content.decode()
    assert "My watch" in overview
    assert "never used" in overview
    assert plain not in overview


def test_last_use_is_noted_at_most_once_a_minute(client: Client, ada: User) -> None:
    token, plain = services.issue_api_token(user=ada, label="My phone")
    use(client, plain)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None

    use(client, plain)
    token.refresh_from_db()
    assert token.last_used_at == first

    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    use(client, plain)
    token.refresh_from_db()
    assert token.last_used_at
    assert token.last_used_at >= first


def test_the_openapi_document_describes_tokens(client: Client) -> None:
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]

    assert schema["components"]["securitySchemes"]["token"]["name"] == "Authorization"
    assert set(schema["paths"][URL]["post"]["responses"]) >= {"200"}
