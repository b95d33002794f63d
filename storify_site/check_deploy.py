"""Run `check --deploy` with a public site's settings; warnings are errors."""

import os
import sys

from django.core.management import execute_from_command_line

PUBLIC_SITE = {
    "DEBUG": "0",
    "ENV_FILE": os.devnull,
    "DATABASE_URL": "postgresql://storify@db.example/storify",
    "REDIS_URL": "redis://queue.example:6379/0",
    "SECRET_KEY": "only-for-this-check-" + "".join(chr(97 + n * 7 % 26) for n in range(50)),
    "TOKEN_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "ALLOWED_HOSTS": "storify.example",
    "SITE_URL": "https://storify.example",
    "EMAIL_URL": "smtp+tls://storify:password@mail.example:587",
    "SPOTIFY_CLIENT_ID": "id",
    "SPOTIFY_CLIENT_SECRET": "secret",
}


def main() -> None:
    os.environ.update(PUBLIC_SITE, DJANGO_SETTINGS_MODULE="storify_site.settings")
    execute_from_command_line([sys.argv[0], "check", "--deploy", "--fail-level", "WARNING"])


if __name__ == "__main__":
    main()
