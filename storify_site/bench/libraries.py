"""Private libraries of a benchmark site."""

from django.db import connection, transaction

from recommender.models import Track
from storify_site.bench.people import ADDRESS

LIBRARY = 5000
PEOPLE = 4

# Everybody's own copies of random tracks of the catalogue, under other ids.
_TRACKS = """
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT gen_random_uuid() AS new_id, person.id AS user_id, track.*
FROM accounts_user AS person
CROSS JOIN LATERAL (
    SELECT * FROM recommender_track WHERE source = 'import' AND energy IS NOT NULL
    ORDER BY md5(id::text || person.id) LIMIT %(size)s) AS track
WHERE person.email = ANY(%(people)s)
"""
_COPY = """
INSERT INTO recommender_track ({columns})
SELECT {values} FROM held
"""
_LIBRARY = """
INSERT INTO recommender_librarytrack
    (user_id, track_id, source, range, rank, expires_at, valence, energy, song_key)
SELECT user_id, new_id, 'saved', '', 1, now() + interval '1 day', valence, energy, song_key
FROM held
"""
_ANALYZE = "ANALYZE recommender_track, recommender_librarytrack"


@transaction.atomic
def create_libraries() -> dict[str, int]:
    """Give a few people a library of 5,000 tracks each; return how many there are."""
    columns = [str(field.column) for field in Track._meta.local_concrete_fields]
    own = {
        "id": "new_id",
        "source": "'spotify'",
        "source_id": "left(md5(new_id::text), 22)",
        "title": "title || ' ' || left(new_id::text, 4)",
        "song_key": "CASE WHEN get_byte(uuid_send(new_id), 0) < 128 THEN song_key"
        " ELSE md5(new_id::text) END",
        "expires_at": "now() + interval '1 day'",
    }
    people = [ADDRESS.format(number) for number in range(PEOPLE)]
    values = ", ".join(own.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(_TRACKS, {"size": LIBRARY, "people": people})
        cursor.execute(_COPY.format(columns=", ".join(columns), values=values))
        cursor.execute(_LIBRARY)
        held = cursor.rowcount
        cursor.execute(_ANALYZE)
    return {"libraries": PEOPLE, "private_tracks": held}
