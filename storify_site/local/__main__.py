"""`python -m storify_site.local stop`: stops services left running by a killed process."""

import sys

from storify_site.local import postgres, redis, var_dir


def main() -> None:
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m storify_site.local stop")
    postgres.stop(var_dir())
    redis.stop(var_dir())


if __name__ == "__main__":
    main()
