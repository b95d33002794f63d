"""Sign-in with Spotify through social-auth, and how much Spotify is asked."""

import environ

from storify_site import environment

environment.load()
env = environ.Env()

SOCIAL_AUTH_REQUESTS_TIMEOUT = 8
# What the person allows this time, from a form on our own page; sign-in has none.
SOCIAL_AUTH_FIELDS_STORED_IN_SESSION = ["spotify_purpose"]
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

# Calls to Spotify's Web API: of the whole app, and of one person; its own limits are unpublished.
SPOTIFY_CALLS_PER_HALF_MINUTE = env.int("SPOTIFY_CALLS_PER_HALF_MINUTE", default=90)
SPOTIFY_CALLS_PER_DAY = env.int("SPOTIFY_CALLS_PER_DAY", default=5000)
SPOTIFY_PERSON_CALLS_PER_HALF_MINUTE = env.int("SPOTIFY_PERSON_CALLS_PER_HALF_MINUTE", default=40)
SPOTIFY_PERSON_CALLS_PER_DAY = env.int("SPOTIFY_PERSON_CALLS_PER_DAY", default=1000)
# The share of the app's calls that only sign-in may use.
SPOTIFY_RESERVE = env.float("SPOTIFY_RESERVE", default=0.2)
