"""Settings from the environment, read in a separate process."""

import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLIC = {
    "DATABASE_URL": "postgresql://storify@db.example/storify",
    "REDIS_URL": "redis://queue.example:6379/0",
    "SECRET_KEY": "long and secret",
    "TOKEN_ENCRYPTION_KEYS": "newer,older",
    "ALLOWED_HOSTS": "storify.example",
    "SITE_URL": "https://storify.example/",
}


def read_settings(tmp_path: Path, *names: str, **environment: str) -> dict[str, object]:
    """The named settings as a fresh process sees them; raises with what it printed if it fails."""
    program = (
        "import json, sys; from django.conf import settings;"
        "print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))"
    )
    return dict(json.loads(run_python(tmp_path, program, *names, **environment)))


def run_python(tmp_path: Path, program: str, *arguments: str, **environment: str) -> str:
    """What this program prints in a fresh process; raises with its errors if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "storify_site.settings",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def test_bare_environment_is_a_local_site(tmp_path: Path) -> None:
    seen = read_settings(tmp_path, "DEBUG", "DEMO", "SPOTIFY_SANDBOX", "SITE_URL", "MEDIA_ROOT")

    assert seen == {
        "DEBUG": True,
        "DEMO": True,
        "SPOTIFY_SANDBOX": True,
        "SITE_URL": "http://127.0.0.1:8000",
        "MEDIA_ROOT": str(tmp_path / "media"),
    }


def test_local_secret_key_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = read_settings(tmp_path, "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS")

    assert first == read_settings(tmp_path, "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS")
    assert len(str(first["SECRET_KEY"])) > 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_public_environment_is_closed(tmp_path: Path) -> None:
    seen = read_settings(
        tmp_path,
        "DEBUG",
        "DEMO",
        "SPOTIFY_SANDBOX",
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_SECURE",
        "TOKEN_ENCRYPTION_KEYS",
        "SITE_URL",
        "CELERY_BROKER_URL",
        **PUBLIC,
    )

    assert seen == {
        "DEBUG": False,
        "DEMO": False,
        "SPOTIFY_SANDBOX": False,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "TOKEN_ENCRYPTION_KEYS": ["newer", "older"],
        "SITE_URL": "https://storify.example",
        "CELERY_BROKER_URL": "redis://queue.example:6379/0",
    }


@pytest.mark.parametrize("name", ["SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_secret_stops_a_public_site_with_its_name(
    tmp_path: Path, name: str, value: str | None
) -> None:
    environment = {key: text for key, text in PUBLIC.items() if key != name}
    if value is not None:
        environment[name] = value

    with pytest.raises(RuntimeError, match=f"ImproperlyConfigured: {name} isn't set"):
        read_settings(tmp_path, "DEBUG", **environment)


def test_client_id_without_its_secret_stops_a_public_site(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="SPOTIFY_CLIENT_SECRET isn't set"):
        read_settings(tmp_path, "DEBUG", **PUBLIC, SPOTIFY_CLIENT_ID="id")


@pytest.mark.parametrize("url", ["", "consolemail://"])
def test_mail_of_a_public_site_never_goes_to_the_terminal(tmp_path: Path, url: str) -> None:
    seen = read_settings(tmp_path, "EMAIL_BACKEND", **PUBLIC, EMAIL_URL=url)

    assert seen == {"EMAIL_BACKEND": "accounts.mail.backend.NotSetUp"}


def test_cookies_of_a_public_site_are_secure_and_out_of_reach_of_scripts(tmp_path: Path) -> None:
    program = """
import django; django.setup()
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import RequestFactory

def view(request):
    request.session["x"] = get_token(request)
    return HttpResponse()

settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"  # needs no database
answer = SessionMiddleware(CsrfViewMiddleware(view))(RequestFactory().get("/", secure=True))
print(answer.cookies.output())
"""
    cookies = run_python(tmp_path, program, **PUBLIC).splitlines()

    assert sorted(re.findall(r"Set-Cookie: (\w+)=", "\n".join(cookies))) == [
        "csrftoken",
        "sessionid",
    ]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    env_file.write_text("PORT=8111\nSTORAGE_BUCKET=from-file\n")

    seen = read_settings(
        tmp_path, "PORT", "STORAGE_BUCKET", ENV_FILE=str(env_file), STORAGE_BUCKET="from-outside"
    )

    assert seen == {"PORT": 8111, "STORAGE_BUCKET": "from-outside"}


def test_env_example_lists_exactly_the_variables_that_are_read() -> None:
    described = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    calls = re.compile(
        r"(?:optional|secret|env\.\w+|environ\.get|getenv)\(\s*\"([A-Z][A-Z_0-9]+)\""
    )
    read = {
        name
        for package in ("storify_site", "accounts", "stories", "recommender")
        for path in (ROOT / package).rglob("*.py")
        for name in calls.findall(path.read_text())
    }

    assert described == read | {"DATABASE_URL", "REDIS_URL"}


def test_env_example_explains_every_variable() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    unexplained = [
        line
        for before, line in pairwise(lines)
        if re.match(r"#[A-Z_]+=", line) and not before.startswith("# ")
    ]

    assert unexplained == []


def test_commands_know_the_broker() -> None:
    program = (
        "import django; django.setup(); from celery import current_app;"
        "print(current_app.main, current_app.conf.broker_url)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "storify_site.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("storify redis")


def test_pages_and_api_name_the_version_of_the_project(client: Client) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"Storify {version}" in client.get("/").content.decode()
    assert f"version: {version}" in client.get("/api/schema/").content.decode()
