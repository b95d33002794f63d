"""Celery settings that don't depend on the environment."""

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # retry for ever
CELERY_BROKER_CONNECTION_TIMEOUT = 3
# A Redis at its memory limit refuses commands. Without this, workers would exit and load again.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Seconds until a task whose worker vanished is redelivered.
    "visibility_timeout": 15 * 60,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
# An upload fails fast while the queue is down.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Loading the models takes longer than Celery's default. storify_site.watchdog, which can see
# progress, ends a process that hangs.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 24 * 3600.0
# On one machine, a result that a process sent before it died arrives at once.
CELERY_WORKER_LOST_WAIT = 1.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
LONG_JOBS = (
    "recommender.tasks.place_new_tracks",
    "recommender.tasks.recount_saves",
    "recommender.tasks.train_factors",
    "stories.tasks.sweep_media",
    "stories.tasks.train_candidate",
)
CELERY_TASK_ROUTES = {
    "stories.tasks.analyse_story": {"queue": "inference"},
    "stories.tasks.transcode_next_video": {"queue": "video"},  # may take minutes
    **{task: {"queue": "long"} for task in LONG_JOBS},
}
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_BEAT_SCHEDULER = "storify_site.beat:Scheduler"
HOUR, DAY = 3600.0, 24 * 3600.0
CELERY_BEAT_SCHEDULE = {
    # A run that is still queued when the next one is due is dropped; a short one, after an hour.
    task.rpartition(".")[2]: {
        "task": task,
        "schedule": seconds,
        "options": {"expires": seconds if task in LONG_JOBS else min(seconds, HOUR)},
    }
    for task, seconds in {
        "accounts.tasks.forget_expired": DAY,
        "stories.tasks.recover_stale_stories": 10.0,
        "stories.tasks.refresh_outdated": 30.0,
        "stories.tasks.send_due_saves": 15.0,
        "stories.tasks.sweep_media": DAY,
        "stories.tasks.fill_review_queues": DAY,
        "recommender.tasks.continue_syncs": 10.0,
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
