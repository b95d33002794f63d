"""Create users with choices on a benchmark site, and train factors on them."""

import time
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from recommender import services
from recommender.errors import FactorsUnusableError, RecommenderError

PATIENCE_SECONDS = 1800
ADDRESS = "listener-{}@bench.test"
_CHOICES = """
INSERT INTO recommender_choice (user_id, story_id, track_id, source, learns, created_at)
SELECT person.id, gen_random_uuid(), track.id, track.source, true,
    now() - random() * interval '60 days'
FROM chosen
JOIN accounts_user AS person ON person.email = 'listener-' || chosen.person || '@bench.test'
JOIN recommender_track AS track ON track.source_id = chosen.track AND track.source = 'import'
"""
# Without a file: users who each save tracks near one point of the mood plane.
_MADE_UP = """
INSERT INTO recommender_choice (user_id, story_id, track_id, source, learns, created_at)
SELECT person.id, gen_random_uuid(), track.id, track.source, true,
    now() - random() * interval '60 days'
FROM (SELECT id, random() AS energy, random() AS valence FROM accounts_user
      WHERE email LIKE 'listener-%@bench.test') AS person
CROSS JOIN LATERAL (
    SELECT id, source FROM recommender_track WHERE energy IS NOT NULL AND valence IS NOT NULL
    ORDER BY point(energy, valence) <-> point(person.energy, person.valence) LIMIT 30
) AS track
"""


@transaction.atomic
def create_people(interactions: str | None) -> dict[str, Any]:
    """Create users with choices from a Parquet file (user_id, track_id), or with random ones.

    Raises FactorsUnusableError if the catalogue is still being indexed after half an hour.
    """
    pairs = _pairs(interactions) if interactions else []
    n_people = max((person for person, _ in pairs), default=999) + 1
    User.objects.bulk_create(
        [User(email=ADDRESS.format(i), password="!") for i in range(n_people)],  # noqa: S106  (unusable)
        batch_size=5000,
    )
    choices = _choose(pairs)
    services.recount_saves()
    return {"people": n_people, "choices": choices, **_trained()}


def _choose(pairs: list[tuple[int, str]]) -> int:
    with connection.cursor() as cursor:
        if pairs:
            cursor.execute("CREATE TEMPORARY TABLE chosen (person int, track text)")
            with cursor.copy("COPY chosen FROM STDIN") as copy:
                for pair in pairs:
                    copy.write_row(pair)
        cursor.execute(_CHOICES if pairs else _MADE_UP)
        choices: int = cursor.rowcount
        cursor.execute("ANALYZE recommender_choice")
    return choices


def _trained() -> dict[str, Any]:
    """Train factors once the site's worker has placed the imported tracks."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            version = services.train_factors()
        except FactorsUnusableError:
            if time.monotonic() > end:
                raise
            time.sleep(5)
        except RecommenderError as reason:
            return {"trained": str(reason)}
        else:
            return {"recall_at_50": version.quality, "people_examined": version.n_examined}


def _pairs(path: str) -> list[tuple[int, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["user_id", "track_id"])
    people = table["user_id"].combine_chunks().dictionary_encode().indices.to_pylist()
    return [*zip(people, table["track_id"].to_pylist(), strict=True)]
