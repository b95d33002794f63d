"""Load `.env` into the environment."""

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


def load() -> None:
    """Read `.env`, or the file that ENV_FILE names; variables that are already set win."""
    environ.Env.read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env")
