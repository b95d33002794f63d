"""Where settings come from: the environment, and what it lacks from `.env` in the checkout."""

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


def load() -> None:
    """Read `.env` (or the file that ENV_FILE names) into the environment, replacing nothing."""
    environ.Env.read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env")
