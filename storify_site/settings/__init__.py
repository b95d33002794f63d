"""Django settings, read from environment variables that `.env.example` explains.

Without any, the site is a local one: DEBUG on, PostgreSQL and Redis under VAR_DIR, and secrets
generated once for this machine. Setting DATABASE_URL makes it a deployment: DEBUG is off unless
it's set, and a missing secret is an error that names it.
"""

import os
import tomllib
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from storify_site import environment
from storify_site import local as embedded
from storify_site.settings.applications import *  # noqa: F403
from storify_site.settings.celery import *  # noqa: F403
from storify_site.settings.content_security_policy import content_security_policy
from storify_site.settings.spotify import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent.parent
django_stubs_ext.monkeypatch()  # makes ModelAdmin[Story] work at run time
env = environ.Env()
environment.load()


def optional(name: str, default: str = "") -> str:
    """Read a variable; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, local: str) -> str:
    """Read a secret. Only a local site may fall back to `local`.

    Raises ImproperlyConfigured if it's missing.
    """
    value = optional(name, local if DEBUG else "")
    if not value:
        raise ImproperlyConfigured(f"{name} isn't set, but it's required when DEBUG is off.")
    return value


# --- Core -----------------------------------------------------------------------------------------

VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
VAR_DIR = embedded.var_dir()
DEBUG = env.bool("DEBUG", default=not optional("DATABASE_URL"))
DEMO = DEBUG and env.bool("DEMO", default=True)
PORT = env.int("PORT", default=8000)
SITE_URL = optional("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SECRET_KEY = secret("SECRET_KEY", embedded.local_secret(VAR_DIR) if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
WEB_HOST = optional("WEB_HOST", "127.0.0.1")
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)
WEB_THREADS = env.int("WEB_THREADS", default=4)
WEB_SPOOL_MB = env.int("WEB_SPOOL_MB", default=2000)

ROOT_URLCONF = "storify_site.urls"
WSGI_APPLICATION = "storify_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stories.pages.context_processors.site",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database, cache, queue -----------------------------------------------------------------------

DATABASE_URL = optional("DATABASE_URL", embedded.postgres.url(VAR_DIR))
DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}

# Only the catalogue is read from a replica: it may lag, and people's own data must not.
DATABASE_REPLICA_URL = optional("DATABASE_REPLICA_URL")
READ_DATABASE = "replica" if DATABASE_REPLICA_URL else "default"
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = {
        **environ.Env.db_url_config(DATABASE_REPLICA_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"MIRROR": "default"},
    }

REDIS_URL = optional("REDIS_URL", embedded.redis.cache_url(VAR_DIR))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "storify",
        # The client's default is to retry for ten seconds, which is too long for a request.
        "OPTIONS": {
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "retry": Retry(ConstantBackoff(0.1), 1),
        },
    }
}

CELERY_BROKER_URL = optional(
    "CELERY_BROKER_URL", optional("REDIS_URL", embedded.redis.broker_url(VAR_DIR))
)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- Photos and static files ----------------------------------------------------------------------

MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"  # never served directly: a view checks who may see each photo
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
STORAGE_BUCKET = optional("STORAGE_BUCKET")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
if STORAGE_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": STORAGE_BUCKET,
            "endpoint_url": optional("STORAGE_ENDPOINT_URL") or None,
            "region_name": optional("AWS_REGION") or None,
            "access_key": optional("AWS_ACCESS_KEY_ID") or None,
            "secret_key": optional("AWS_SECRET_ACCESS_KEY") or None,
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    }
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # larger files go to a temporary file
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # everything in a form except its files
FILE_UPLOAD_PERMISSIONS = 0o640

# --- People, Spotify ------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "stories:home"
LOGOUT_REDIRECT_URL = "stories:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SPOTIFY_CLIENT_ID = optional("SPOTIFY_CLIENT_ID")
SPOTIFY_CLIENT_SECRET = (
    secret("SPOTIFY_CLIENT_SECRET", "") if SPOTIFY_CLIENT_ID else optional("SPOTIFY_CLIENT_SECRET")
)
SPOTIFY_SANDBOX = DEBUG and not SPOTIFY_CLIENT_ID
SPOTIFY_ACCOUNTS_URL = (
    f"{SITE_URL}/sandbox/accounts" if SPOTIFY_SANDBOX else "https://accounts.spotify.com"
)
SPOTIFY_API_URL = f"{SITE_URL}/sandbox/api" if SPOTIFY_SANDBOX else "https://api.spotify.com"
CONTENT_SECURITY_POLICY = content_security_policy(sandbox=SPOTIFY_SANDBOX)


def derived_key(of: str) -> str:
    """A Fernet key derived from another secret."""
    return urlsafe_b64encode(sha256(b"storify tokens " + of.encode()).digest()).decode()


# Newest first; older keys only decrypt.
TOKEN_ENCRYPTION_KEYS = secret("TOKEN_ENCRYPTION_KEYS", derived_key(SECRET_KEY)).split(",")

AUTHENTICATION_BACKENDS = [
    "accounts.backends.PasswordBackend",
    "accounts.spotify.oauth.SpotifyPKCE",
]
# Locally, e-mail goes to the terminal. With DEBUG off, its links would end up in a log, so without
# a mail server none is sent, and the pages that need one say so.
vars().update(env.email_url_config(optional("EMAIL_URL", "consolemail://")))
if not DEBUG and vars()["EMAIL_BACKEND"].endswith(".console.EmailBackend"):
    EMAIL_BACKEND = "accounts.mail.backend.NotSetUp"
EMAIL_TIMEOUT = 20  # seconds for each step; without a limit, a server that hangs holds a worker
DEFAULT_FROM_EMAIL = optional("DEFAULT_FROM_EMAIL", "Storify <storify@localhost>")

# --- Stories --------------------------------------------------------------------------------------

STORIES_STALE_AFTER = env.int("STORIES_STALE_AFTER", default=30)  # seconds without a sign of life
STORIES_MAX_ATTEMPTS = 3
STORIES_READS_AT_ONCE = env.int("STORIES_READS_AT_ONCE", default=2)  # uploads per web process
STORIES_UPLOAD_RATE = optional("STORIES_UPLOAD_RATE", "60/min")  # per person

# Review of tagging quality: shares of all stories, of all items handed out, and of all reviews.
STORIES_REVIEW_AUDIT_SHARE = env.float("STORIES_REVIEW_AUDIT_SHARE", default=0.05)
STORIES_REVIEW_BLIND_SHARE = env.float("STORIES_REVIEW_BLIND_SHARE", default=0.1)
STORIES_REVIEW_SECOND_SHARE = env.float("STORIES_REVIEW_SECOND_SHARE", default=0.1)
STORIES_REVIEW_LEASE = env.int("STORIES_REVIEW_LEASE", default=15 * 60)  # seconds
STORIES_REVIEW_UNDO_SECONDS = env.int("STORIES_REVIEW_UNDO_SECONDS", default=30 * 60)

# Models trained from reviews: how much worse one may be at most, as the lower end of the 95 %
# interval, to be promoted without a reason; on which share of photos one in shadow mode runs; the
# folder with the base data and the public test sets.
STORIES_PROMOTION_MARGIN = env.float("STORIES_PROMOTION_MARGIN", default=0.02)
STORIES_SHADOW_SHARE = env.float("STORIES_SHADOW_SHARE", default=0.1)
STORIFY_DATA = optional("STORIFY_DATA")
FILE_UPLOAD_HANDLERS = [
    "stories.uploads.upload_handler.CappedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Recommender ----------------------------------------------------------------------------------

# Days after which a save counts half as much towards trending.
RECOMMENDER_TREND_HALF_LIFE_DAYS = env.float("RECOMMENDER_TREND_HALF_LIFE_DAYS", default=7.0)

# Whether demo tracks are suggested alongside an imported catalogue.
RECOMMENDER_DEMO_TRACKS = env.bool("RECOMMENDER_DEMO_TRACKS", default=False)

# Providers of missing audio features, tried in this order; empty for none. A third, "spotify", is
# for apps with extended access, and asked for the tracks of a person's library on their behalf.
FEATURE_PROVIDERS = env.list("FEATURE_PROVIDERS", default=["import", "reccobeats"])

# --- API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # Of the OpenAPI document, whose `version` would be put into a header as it comes.
    "ALLOWED_VERSIONS": ["v1"],
    "DEFAULT_PARSER_CLASSES": [
        "accounts.web.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    # Proxies to trust for the client's address; a client could fake the header otherwise.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "DEFAULT_THROTTLE_RATES": {"user": optional("API_RATE", "600/min"), "anon": "60/min"},
    "EXCEPTION_HANDLER": "accounts.web.problem_details.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Storify",
    "DESCRIPTION": "Photo stories in, tags and matching music out.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "storify_site.openapi.document_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Emotion": "ml.labels.EMOTIONS",
        "EmotionLabel": "ml.labels.EMOTION_LABELS",
        "Action": "ml.labels.ACTIONS",
        "Intensity": "ml.labels.INTENSITIES",
        "Genre": "recommender.engine.tracks.genres.FAMILIES",
        "Language": "recommender.catalogue.languages.CODES",
    },
}

# --- Security -------------------------------------------------------------------------------------

SECURE = not DEBUG and env.bool("SECURE", default=True)
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
# No script needs to read them; forms carry the CSRF token.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logging: photos, captions and tokens never reach a log ---------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": optional("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # At DEBUG or INFO these log addresses with query strings, which may contain tokens.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "social": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        "PIL": {"level": "WARNING"},
        "waitress": {"level": "WARNING"},
    },
}
