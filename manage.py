#!/usr/bin/env python
"""Django's command line, with the local database and queue at hand when none are configured."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")
    from django.core.management import execute_from_command_line

    from storify_site import environment, local

    environment.load()
    with local.lease():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
