from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from recommender import services
from recommender.engine import als
from recommender.engine.als import Settings
from recommender.engine.scoring import Weights
from recommender.errors import FactorsUnusableError, NothingToLearnError
from recommender.factors import selectors
from recommender.factors.files import SongFactors, read_choices, read_factors, write_factors
from recommender.models import Choice, FactorVersion, TasteProfile, Track, TrackFactor
from recommender.ranking import candidate_sources
from recommender.ranking.listener import get_listener
from recommender.services.taste import refresh_taste
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db
SERVING, RETIRED, REFUSED = FactorVersion.State


def save(user: User, *tracks: Track) -> None:
    for track in tracks:
        services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)


def _choice(person: User, track: Track) -> Choice:
    """A choice that isn't stored yet."""
    return Choice(
        user=person,
        story_id=uuid4(),
        track=track,
        source=track.source,
        created_at=timezone.now(),
    )


def make_crowds(n_people: int = 30, n_tracks: int = 8) -> tuple[list[Track], list[Track]]:
    """Two groups of people who each save only their group's tracks."""
    rock = [make_track(artists=[f"Rock {i % 3}"]) for i in range(n_tracks)]
    jazz = [make_track(artists=[f"Jazz {i % 3}"]) for i in range(n_tracks)]
    rng = np.random.default_rng(0)
    people = [make_user() for _ in range(n_people)]
    Choice.objects.bulk_create(
        _choice(person, track)
        for number, person in enumerate(people)
        for track in rng.permutation(np.array((rock, jazz)[number % 2], dtype=object))[:5]
    )
    return rock, jazz


def affinities(user: User) -> dict[Any, float]:
    refresh_taste(user=user)
    pool = candidate_sources.gather(
        listener=get_listener(user),
        story_id=uuid4(),
        mood=make_mood().gaussian,
        weights=Weights(),
    )
    assert pool.features.affinity is not None
    return dict(zip(pool.ids.tolist(), pool.features.affinity.tolist(), strict=True))


def write(path: Path, songs: list[str], vectors: Any) -> Path:
    vectors = np.array(vectors, dtype=np.float32)
    chosen = Settings(n_factors=vectors.shape[1])
    counts = np.ones(len(songs), dtype=np.int64)
    write_factors(path, SongFactors(songs, vectors, counts, chosen, "test"))
    return path


def test_training_serves_vectors_for_every_track_at_once() -> None:
    rock, _ = make_crowds()
    unheard = make_track(artists=["Rock 1"])
    version = services.train_factors()
    assert version.state == SERVING
    assert selectors.serving_factors() == version
    placed = TrackFactor.objects.filter(version_id=version.pk)
    assert placed.count() == Track.objects.count() == version.n_tracks
    assert placed.get(track_id=rock[0].pk).is_trained
    assert not placed.get(track_id=unheard.pk).is_trained


def test_next_suggestions_know_the_crowd_after_one_choice() -> None:
    rock, jazz = make_crowds()
    unheard = make_track(artists=["Rock 1"])
    services.train_factors()
    person = make_user()
    assert set(affinities(person).values()) == {0.0}
    save(person, rock[0])
    cares = affinities(person)
    assert min(cares[t.pk.bytes] for t in rock[1:]) > max(cares[t.pk.bytes] for t in jazz)
    assert cares[unheard.pk.bytes] > max(cares[t.pk.bytes] for t in jazz)


def test_taking_a_choice_back_takes_it_out_of_the_factor() -> None:
    rock, _ = make_crowds()
    services.train_factors()
    person, story_id = make_user(), uuid4()
    services.save_choice(user=person, story_id=story_id, track_id=rock[0].pk)
    assert np.any(TasteProfile.objects.get(user=person).factor)
    services.remove_choice(user=person, story_id=story_id)
    assert not np.any(TasteProfile.objects.get(user=person).factor)


def test_person_is_folded_into_a_new_version_when_they_next_ask() -> None:
    rock, jazz = make_crowds()
    person = make_user()
    save(person, rock[0])
    version = services.train_factors()
    cares = affinities(person)
    assert cares[rock[1].pk.bytes] > max(cares[t.pk.bytes] for t in jazz)
    assert TasteProfile.objects.get(user=person).factor_version == version.pk


def test_every_tenth_person_is_never_trained_on(tmp_path: Path) -> None:
    make_crowds()
    learned = {person for person, _ in selectors.training_choices()}
    held_out = {person for person, _ in selectors.training_choices(holdout=True)}
    assert learned | held_out == {*Choice.objects.values_list("user_id", flat=True)}
    assert not learned & held_out
    assert all(person % 10 == 0 for person in held_out)


def test_too_few_choices_are_nothing_to_learn_from() -> None:
    save(make_user(), make_track())
    with pytest.raises(NothingToLearnError, match="too few"):
        services.train_factors()


def test_worse_factors_are_refused_and_the_old_ones_serve_on(tmp_path: Path) -> None:
    _holdout_people()
    good = services.train_factors()
    songs, vectors = selectors.trained_songs(good)
    shuffled = np.random.default_rng(0).normal(size=vectors.shape)
    worse = services.load_factors(path=write(tmp_path / "f.parquet", songs, shuffled))
    assert (worse.state, worse.n_tracks) == (REFUSED, 0)
    assert worse.quality is not None
    assert worse.quality_before is not None
    assert worse.quality < worse.quality_before
    assert selectors.serving_factors() == good
    again = services.load_factors(path=write(tmp_path / "g.parquet", songs, vectors))
    assert again.state == SERVING


def _holdout_people() -> None:
    """Sixty sorts of tracks, more than a list of fifty holds by chance; many people to measure."""
    sorts = [[make_track() for _ in range(3)] for _ in range(60)]
    people = [make_user() for _ in range(360)]
    Choice.objects.bulk_create(
        _choice(person, track)
        for number, person in enumerate(people)
        for track in sorts[(number // 10 * 7 + number % 10) % 60]
    )


def test_rolling_back_lets_the_version_before_serve_again() -> None:
    make_crowds()
    first, second = services.train_factors(), services.train_factors()
    assert selectors.serving_factors() == second
    assert services.roll_back_factors() == first
    assert selectors.serving_factors() == first
    assert TrackFactor.objects.filter(version_id=first.pk).exists()


def test_without_an_earlier_version_there_is_nothing_to_go_back_to() -> None:
    make_crowds()
    services.train_factors()
    with pytest.raises(FactorsUnusableError, match="no earlier version"):
        services.roll_back_factors()


def test_only_the_version_before_is_kept() -> None:
    make_crowds()
    versions = [services.train_factors() for _ in range(3)]
    assert set(FactorVersion.objects.all()) == {*versions[1:]}
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    assert f"recommender_trackfactor_{versions[0].pk}" not in tables


def test_new_and_changed_tracks_get_a_place() -> None:
    rock, jazz = make_crowds()
    version = services.train_factors()
    new = make_track(artists=["Rock 1"])
    Track.objects.filter(pk=rock[0].pk).update(valence=0.9)
    assert services.place_new_tracks() == 2
    placed = TrackFactor.objects.filter(version_id=version.pk)
    assert placed.get(track_id=rock[0].pk).valence == 0.9
    assert placed.get(track_id=rock[0].pk).is_trained
    person = make_user()
    save(person, rock[1])
    cares = affinities(person)
    assert cares[new.pk.bytes] > max(cares[t.pk.bytes] for t in jazz)
    assert services.place_new_tracks() == 0


def test_a_catalogue_without_choices_is_indexed_too() -> None:
    tracks = [make_track() for _ in range(5)]
    assert services.place_new_tracks() == 5
    version = selectors.serving_factors()
    assert version is not None
    assert (version.n_songs, version.n_tracks) == (0, 5)
    assert affinities(make_user()) == {t.pk.bytes: 0.0 for t in tracks}


def test_rebuilding_the_index_keeps_what_was_learned() -> None:
    rock, _ = make_crowds()
    trained = services.train_factors()
    before = dict(zip(*selectors.trained_songs(trained), strict=True))
    again = services.rebuild_index()
    after = dict(zip(*selectors.trained_songs(again), strict=True))
    assert again != trained
    assert before.keys() == after.keys() >= {t.song_key for t in rock}
    assert all(np.allclose(before[song], after[song]) for song in before)


def test_a_song_under_another_id_has_its_vector() -> None:
    rock, _ = make_crowds()
    twin = make_track(title=f"{rock[0].title} - Remastered 2011", artists=rock[0].artists)
    version = services.train_factors()
    vectors = TrackFactor.objects.filter(version_id=version.pk).in_bulk(
        [(version.pk, rock[0].pk), (version.pk, twin.pk)]
    )
    first, second = (row.vector for row in vectors.values())
    assert first[:-1] == second[:-1]


def test_factors_trained_elsewhere_are_taken_in_by_command(tmp_path: Path) -> None:
    rock, _ = make_crowds()
    call_command("factors", "export", str(tmp_path / "choices.parquet"))
    matrix, songs = read_choices(tmp_path / "choices.parquet")
    trained = als.train(matrix, settings=Settings(n_factors=4))
    path = write(tmp_path / "factors.parquet", songs, trained.vectors)
    call_command("factors", "load", str(path))
    version = selectors.serving_factors()
    assert version is not None
    assert (version.method, version.n_factors) == ("test", 4)
    assert rock[0].song_key in selectors.trained_songs(version)[0]


@pytest.mark.parametrize(
    ("songs", "vectors"),
    [(["a", "a"], [[1.0], [2.0]]), (["a"], [[np.nan]])],
)
def test_broken_factors_are_refused_with_a_reason(
    tmp_path: Path, songs: list[str], vectors: Any
) -> None:
    with pytest.raises(FactorsUnusableError, match="train again"):
        read_factors(write(tmp_path / "f.parquet", songs, vectors))


def test_a_file_of_something_else_is_no_factors(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    path.write_text("no")
    with pytest.raises(FactorsUnusableError, match=r"not a file of factors"):
        services.load_factors(path=path)


@pytest.mark.parametrize("action", ["rebuild-index", "arrange"])
def test_the_index_is_rebuilt_by_command_under_its_old_name_too(action: str) -> None:
    make_track()
    call_command("factors", action, "--json")
    version = selectors.serving_factors()
    assert version is not None
    assert version.n_tracks == 1
