"""Every setting of the site, from environment variables; `.env.example` explains each of them.

Without any of them the site is a local one: DEBUG on, PostgreSQL and Redis under VAR_DIR, secrets
made once for this machine. Setting DATABASE_URL says that this is a deployment: DEBUG is then off
unless asked for, and a secret that is missing stops the start with its name.
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

BASE_DIR = Path(__file__).resolve().parent.parent
django_stubs_ext.monkeypatch()  # so that ModelAdmin[Story] means something at run time, too
env = environ.Env()
environment.load()


def optional(name: str, default: str = "") -> str:
    """A variable that may be absent or empty, which are the same here."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, local: str) -> str:
    """A secret that only a local site may make up for itself."""
    value = optional(name, local if DEBUG else "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. It has to be when DEBUG is off.")
    return value


# --- What this is ---------------------------------------------------------------------------------

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

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "social_django",
    "accounts",
    "recommender",
    "stories",
    "storify_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "storify_site.request_validation.RequestValidationMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "storify_site.outages.OutageMiddleware",
    "accounts.spotify.error_pages.SpotifySignInErrors",
]

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

# Where tracks are looked for: a replica may lag behind without anybody's own data doing so.
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
        # The client's own default is to try for ten seconds; nobody should wait that long here.
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
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its queue as long as it takes
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A task whose worker lost its machine is handed out again after this long.
    "visibility_timeout": 15 * 60,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
# Whoever uploads a photo while the queue is away is told so soon instead of waiting.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Loading the models takes longer than Celery waits for a process; how long is too long is for
# storify_site.watchdog to say, which sees whether it gets on.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 24 * 3600.0
# A result that a process sent before it died arrives at once on one machine.
CELERY_WORKER_LOST_WAIT = 1.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"stories.tasks.analyse_story": {"queue": "inference"}}
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
HOUR, DAY = 3600.0, 24 * 3600.0
CELERY_BEAT_SCHEDULE = {
    # What waits longer than until the next time, or than an hour, is not wanted any more.
    task.rpartition(".")[2]: {
        "task": task,
        "schedule": seconds,
        "options": {"expires": min(seconds, HOUR)},
    }
    for task, seconds in {
        "accounts.tasks.forget_expired": DAY,
        "stories.tasks.recover_stale_stories": 10.0,
        "stories.tasks.refresh_outdated": 30.0,
        "stories.tasks.sweep_media": DAY,
        "recommender.tasks.expire_tracks": HOUR,
        "recommender.tasks.refit_intensity": DAY,
        "recommender.tasks.refit_weights": DAY,
        "recommender.tasks.refresh_words": DAY,
        "recommender.tasks.fill_features": 60.0,
        "recommender.tasks.place_new_tracks": 300.0,
        "recommender.tasks.train_factors": DAY,
        "recommender.tasks.recount_saves": DAY,
    }.items()
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- Photos and static files ----------------------------------------------------------------------

MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"  # never served as such: every photo goes through a view that asks whose it is
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
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # larger photos wait in a temporary file
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


def derived_key(of: str) -> str:
    return urlsafe_b64encode(sha256(b"storify tokens " + of.encode()).digest()).decode()


# Newest first; older ones only read what was written with them.
TOKEN_ENCRYPTION_KEYS = secret("TOKEN_ENCRYPTION_KEYS", derived_key(SECRET_KEY)).split(",")

# accounts:
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PasswordBackend",
    "accounts.spotify.oauth.SpotifyPKCE",
]
# Locally mail appears in the terminal. With DEBUG off its links would stay in a log, so without a
# mail server none is sent, and the pages that need one say so.
vars().update(env.email_url_config(optional("EMAIL_URL", "consolemail://")))
if not DEBUG and vars()["EMAIL_BACKEND"].endswith(".console.EmailBackend"):
    EMAIL_BACKEND = "accounts.mail.backend.NotSetUp"
DEFAULT_FROM_EMAIL = optional("DEFAULT_FROM_EMAIL", "Storify <storify@localhost>")
SOCIAL_AUTH_REQUESTS_TIMEOUT = 8
SOCIAL_AUTH_PIPELINE = (
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "social_core.pipeline.social_auth.social_user",
    "accounts.spotify.pipeline.create_user",
    "social_core.pipeline.social_auth.associate_user",
    # Instead of load_extra_data, which would keep the tokens in plain text.
    "accounts.spotify.pipeline.store_spotify",
)
SOCIAL_AUTH_DISCONNECT_PIPELINE = ("accounts.spotify.pipeline.forget_spotify",)
SOCIAL_AUTH_NEW_USER_REDIRECT_URL = "accounts:notice"
SOCIAL_AUTH_NEW_ASSOCIATION_REDIRECT_URL = "accounts:account"
SOCIAL_AUTH_DISCONNECT_REDIRECT_URL = "accounts:account"

# --- stories: (its owner adds here) ---------------------------------------------------------------

STORIES_STALE_AFTER = env.int("STORIES_STALE_AFTER", default=30)  # seconds without a sign of life
STORIES_MAX_ATTEMPTS = 3
STORIES_READS_AT_ONCE = env.int("STORIES_READS_AT_ONCE", default=2)  # uploads per web process
STORIES_UPLOAD_RATE = optional("STORIES_UPLOAD_RATE", "60/min")  # per person
FILE_UPLOAD_HANDLERS = [
    "stories.uploads.upload_handler.CappedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- recommender: (its owner adds here) -----------------------------------------------------------

# After how many days a save counts half as much for what is trending.
RECOMMENDER_TREND_HALF_LIFE_DAYS = env.float("RECOMMENDER_TREND_HALF_LIFE_DAYS", default=7.0)

# Whether demo tracks are suggested beside an imported catalogue, too.
RECOMMENDER_DEMO_TRACKS = env.bool("RECOMMENDER_DEMO_TRACKS", default=False)

# Whom to ask, in this order, for audio features that tracks lack; empty asks nobody.
FEATURE_PROVIDERS = env.list("FEATURE_PROVIDERS", default=["import", "reccobeats", "spotify"])

# --- API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
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
    # Whose requests are counted together; addresses that clients claim themselves are not believed.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "DEFAULT_THROTTLE_RATES": {"user": optional("API_RATE", "600/min"), "anon": "60/min"},
    "EXCEPTION_HANDLER": "accounts.web.problem_details.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Storify",
    "DESCRIPTION": "A photo story in, tags and fitting music out.",
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
# No script needs to read them: forms carry the CSRF token.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", "https://i.scdn.co", "https://mosaic.scdn.co"],
        "media-src": ["'self'", "blob:"],  # the preview of a video that is about to be sent
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["https://open.spotify.com"],
        "form-action": ["'self'", "https://accounts.spotify.com"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# --- Logging: no photo, caption or token ever reaches a log ---------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": optional("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # At DEBUG or INFO these write addresses with query strings, which may carry tokens.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "social": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        "PIL": {"level": "WARNING"},
        "waitress": {"level": "WARNING"},
    },
}
