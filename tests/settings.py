"""Settings for the tests: a temporary folder, no .env, no real secrets.

They're set in the environment, so that processes started by tests see them too.
Several runs may go on at once; each has its own folder, with a short name because the database
and Redis are reached through Unix sockets in it. STORIFY_TEST_SERVICES names a folder that runs one
after the other share, with the services in it; whoever named it cleans up (`tests.mutate`).
"""

import atexit
import os
import shutil
import tempfile

if "STORIFY_TEST_VAR" not in os.environ:
    if shared := os.environ.get("STORIFY_TEST_SERVICES"):
        os.environ["STORIFY_TEST_VAR"] = shared
    else:
        os.environ["STORIFY_TEST_VAR"] = tempfile.mkdtemp(prefix="st-", dir="/tmp")
        atexit.register(shutil.rmtree, os.environ["STORIFY_TEST_VAR"], ignore_errors=True)
    os.environ["VAR_DIR"] = os.environ["STORIFY_TEST_VAR"]
    os.environ["ENV_FILE"] = os.devnull
    os.environ["DEBUG"] = "1"
    os.environ["SECRET_KEY"] = "a key for tests only"
    for name in ("REDIS_URL", "CELERY_BROKER_URL", "SPOTIFY_CLIENT_ID", "STORAGE_BUCKET", "PORT"):
        os.environ.pop(name, None)

from storify_site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405

# Nothing is drawn by chance unless a test says so.
STORIES_REVIEW_AUDIT_SHARE = STORIES_REVIEW_BLIND_SHARE = STORIES_REVIEW_SECOND_SHARE = 0.0
