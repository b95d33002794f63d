"""Who reaches what: the specification that `access` walks.

Whatever the method, a visitor gets what their kind of address says, or 405. An address that isn't
listed fails the check.
"""

from collections.abc import Mapping

VISITORS = ("anonymous", "owner", "other", "staff", "reviewer", "token", "revoked token")
OPEN, IN, LOGIN, REFUSED, GONE, UNKNOWN = "open", "in", "sign-in", "403", "404", "401"

# In the order of VISITORS. Pages know no tokens: whoever has only a token is a stranger to them.
KINDS: Mapping[str, tuple[str, ...]] = {
    "public": (OPEN,) * 7,
    "public api": (*(OPEN,) * 6, UNKNOWN),  # a bad token is refused even where none is needed
    "signed in": (LOGIN, IN, IN, IN, IN, LOGIN, LOGIN),
    "owner": (LOGIN, IN, GONE, GONE, GONE, LOGIN, LOGIN),
    # Photos and videos are shown by apps as well, which have a token.
    "owner's media": (LOGIN, IN, GONE, GONE, GONE, IN, UNKNOWN),
    "nobody's media": (LOGIN, GONE, GONE, GONE, GONE, GONE, UNKNOWN),
    "nobody's": (LOGIN, GONE, GONE, GONE, GONE, LOGIN, LOGIN),
    "staff": (LOGIN, REFUSED, REFUSED, IN, IN, LOGIN, LOGIN),
    "reviewer": (LOGIN, REFUSED, REFUSED, REFUSED, IN, LOGIN, LOGIN),
    "reviewer, of a photo": (LOGIN, REFUSED, REFUSED, REFUSED, GONE, LOGIN, LOGIN),
    "promoter": (LOGIN, REFUSED, REFUSED, REFUSED, REFUSED, LOGIN, LOGIN),
    "api": (UNKNOWN, IN, IN, IN, IN, IN, UNKNOWN),
    "api owner": (UNKNOWN, IN, GONE, GONE, GONE, IN, UNKNOWN),
    "admin": (LOGIN, LOGIN, LOGIN, IN, IN, LOGIN, LOGIN),
    "admin, nothing there": (LOGIN, LOGIN, LOGIN, GONE, GONE, LOGIN, LOGIN),
    # Lists and forms need permissions that neither plain staff nor reviewers have.
    "admin's models": (LOGIN, LOGIN, LOGIN, REFUSED, REFUSED, LOGIN, LOGIN),
}

_NAMES: Mapping[str, str] = {
    "public": """
        healthz readyz stories:home accounts:sign_in accounts:sign_up accounts:mail_sent
        accounts:choose_password accounts:open_link accounts:sign_out accounts:password_reset
        accounts:password_reset_sent accounts:password_reset_confirm accounts:connect_spotify
        accounts:password social:begin social:complete social:idp_launch social:app_launch
        admin:login admin:logout recommender:audio auth-token sandbox_music:sound
    """,
    "public api": "schema api-docs",
    "signed in": """
        accounts:account accounts:notice accounts:improve accounts:disconnect_spotify
        accounts:password_change accounts:make_token accounts:export accounts:delete
        accounts:spotify-allow accounts:spotify-withdraw recommender:taste recommender:likes
        recommender:filters recommender:reset_taste recommender:undo_reset recommender:own_music
        recommender:import_library recommender:delete_library recommender:read_library_again
        recommender:read_more_of_library stories:history stories:new stories:survey
        stories:survey_results
    """,
    "owner": """
        stories:story stories:progress stories:player stories:correct stories:choose
        stories:unchoose stories:dismiss stories:restore stories:steer stories:filter
        stories:learning stories:find stories:retry stories:delete stories:scope stories:spotify
        stories:spotify-playlists stories:spotify-remove stories:spotify-save
    """,
    "owner's media": "stories:photo stories:thumbnail",
    "nobody's media": "stories:video",
    "nobody's": """
        accounts:revoke_token social:disconnect social:disconnect_individual
    """,
    "staff": "recommender_staff:intensity",
    "reviewer": """
        review:queues review:next review:undo review:accept review:answer review:skip
        review:figures review:figures_csv review:figures_photos review:photo review:thumbnail
    """,
    "reviewer, of a photo": "review:video",
    "promoter": """
        registry:models registry:train registry:cancel_training registry:take_back
        registry:shadow registry:stop_shadow registry:promote
    """,
    "api": """
        suggestion-feedback tracks music-search api-preferences api-taste api-taste-reset
        api-stories api-playlists
    """,
    "api owner": """
        api-story api-story-suggestions api-story-music api-story-choice api-story-retry
        api-story-spotify api-story-spotify-save
    """,
    "admin": """
        admin:index admin:password_change admin:password_change_done admin:jsi18n
    """,
    "admin's models": "admin:autocomplete",
    "admin, nothing there": "admin:app_list admin:view_on_site",
}

TABLE: Mapping[str, str] = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def kind_of(name: str) -> str | None:
    """The kind of an address by its name; None if the table doesn't know it."""
    is_model = name.startswith("admin:") and "_" in name
    return TABLE.get(name) or ("admin's models" if is_model else None)
