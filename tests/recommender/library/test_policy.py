"""A private library teaches nothing: nobody else's music, and no model, changes by a bit."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from recommender import personal_data, selectors, services
from recommender.engine import als
from recommender.engine.als import Settings
from recommender.engine.tracks.intensity import MIN_TRACKS
from recommender.factors import training
from recommender.models import (
    Choice,
    FactorVersion,
    IntensityModel,
    SearchWord,
    TasteProfile,
    Track,
    TrackFactor,
    TrackSaves,
)
from recommender.ranking import candidate_sources
from recommender.ranking.co_saves import co_saves_of
from recommender.ranking.listener import get_listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.rank import rank_tracks
from recommender.services.weights import _impressions
from tests.factories import make_mood, make_track, make_user
from tests.recommender.library.factories import hold, make_own_track

NOW = timezone.now()
STORIES = [UUID(int=random.Random(i).getrandbits(128)) for i in range(2)]
MIX, NEW = MusicScope.MIX, MusicScope.NEW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trends and new releases change with time; here nothing else may change them."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr(training, "MIN_CHOICES", 10)


def save(user: User, track: Track, shown: bool = True) -> None:
    story_id = uuid4()
    if shown:
        ranking = rank_tracks(listener=get_listener(user), story_id=story_id, mood=make_mood())
        services.log_suggestions(user=user, story_id=story_id, ranking=ranking)
    services.save_choice(user=user, story_id=story_id, track_id=track.pk)


def make_world() -> list[User]:
    """People who saved tracks of a catalogue, with everything that is learned from it."""
    rng = random.Random(0)
    tracks = [
        make_track(valence=rng.random(), energy=e, loudness=-20 + 20 * e, tempo=60 + 100 * e,
                   acousticness=1 - e, popularity=i)
        for i, e in enumerate(rng.random() for _ in range(MIN_TRACKS + 5))
    ]  # fmt: skip
    people = [make_user() for _ in range(8)]
    for number, person in enumerate(people):
        for place, track in enumerate(rng.sample(tracks[number % 2 :: 2], 5)):
            save(person, track, shown=place == 0)
    return people


def make_library(owner: User, fellow: User) -> None:
    """Music that would change much if it counted: the owner saved it, and a fellow has it, too."""
    twin = Track.objects.exclude(source=Track.Source.SPOTIFY)[0]
    tracks = [
        make_own_track(owner, valence=i / 20, energy=0.9, popularity=99, genre="jazz",
                       title=f"Zyzzyva {i}", loudness=0.0,
                       release_date=f"{NOW - timedelta(days=1):%Y-%m-%d}")
        for i in range(20)
    ]  # fmt: skip
    tracks.append(make_own_track(owner, title=twin.title, artists=twin.artists))
    for place, track in enumerate(tracks[:6]):
        hold(fellow, track)
        save(owner, track, shown=place == 0)
        save(fellow, track, shown=place == 0)


def reorder_rows() -> None:
    """Store the rows in another order, as updates and vacuuming may."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # CLUSTER refuses while any is pending
        for table, index in (("choice", "choice_story_id_key"), ("suggestion", "suggestion_pkey")):
            cursor.execute(f"CLUSTER recommender_{table} USING recommender_{index}")


def snapshot(people: list[User], folder: Path) -> dict[str, Any]:
    """Whatever other people get, and whatever is learned."""
    with connection.cursor() as cursor:
        # Sums differ in their last bits with the order in which the rows happen to lie.
        cursor.execute("CLUSTER recommender_track USING recommender_track_pkey")
    listeners = [get_listener(user) for user in (*people, None)]
    choices, factors = folder / "choices.parquet", folder / "factors.parquet"
    services.export_choices(path=choices)
    training.train_file(choices=choices, factors=factors)
    version = services.rebuild_index()
    services.refit_intensity()
    services.recount_saves()
    services.refresh_words()
    rows = TrackFactor.objects.filter(version_id=version.pk).order_by("track_id")
    impressions = _impressions()
    return {
        "lists": [
            [(place.track.pk, place.score, place.terms, place.propensity, place.reasons)
             for place in rank_tracks(listener=listener, story_id=story_id, mood=make_mood(),
                                      n=20, music=music).tracks]
            for listener in listeners for story_id in STORIES for music in (MIX, NEW)
        ],
        "co-saves": [co_saves_of(listener) for listener in listeners],
        "candidates of everybody": [
            part.ids.tolist()
            for part in candidate_sources.every_track(
                listener=get_listener(people[0]), story_id=STORIES[0], parts=4)
        ],
        "choices file": choices.read_bytes(),
        "factors file": factors.read_bytes(),
        "index": [(row.track_id, row.bucket, row.vector) for row in rows],
        "index summary": bytes(FactorVersion.objects.get(pk=version.pk).index or b""),
        "weights": (impressions.terms.tobytes(), impressions.ranks.tobytes(),
                    impressions.chosen.tobytes()),
        "trends": [*TrackSaves.objects.order_by("pk").values_list()],
        "words": [*SearchWord.objects.order_by("pk").values_list("pk", flat=True)],
        "search": [selectors.search_tracks(q) for q in ("zyzzyva", "zyzzyvas 1", "song", "sonh")],
        "intensity": IntensityModel.objects.latest("pk").parameters,
        "intensity of tracks": [
            *Track.objects.exclude(source="spotify").order_by("pk").values_list("pk", "intensity")
        ],
        "energies": selectors.energy_by_intensity(),
        "genres": selectors.known_genres(),
        "exports": [[*personal_data.export(user)] for user in people],
    }  # fmt: skip


@pytest.fixture
def small_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    train = als.train
    monkeypatch.setattr(als, "train", lambda matrix: train(matrix, settings=Settings(n_factors=4)))


def test_a_private_library_changes_nothing_for_anybody_else(
    tmp_path: Path, small_factors: None
) -> None:
    people, owner, fellow = make_world(), make_user(), make_user()
    before = snapshot(people, tmp_path)
    make_library(owner, fellow)
    reorder_rows()
    after = snapshot(people, tmp_path)
    assert [name for name in before if before[name] != after[name]] == []


def test_a_private_library_alone_leaves_demo_tracks_in_use_for_others(tmp_path: Path) -> None:
    services.load_demo_catalogue()
    owner, fellow, other = make_user(), make_user(), make_user()
    before = rank_tracks(listener=get_listener(other), story_id=STORIES[0], mood=make_mood())
    make_library(owner, fellow)
    after = rank_tracks(listener=get_listener(other), story_id=STORIES[0], mood=make_mood())
    assert after == before


def test_one_s_own_taste_follows_what_one_saved_here() -> None:
    owner = make_user()
    make_track()
    save(owner, make_own_track(owner))
    assert TasteProfile.objects.get(user=owner).n_choices == 1


def test_a_private_track_s_saves_are_not_counted() -> None:
    owner = make_user()
    save(owner, make_own_track(owner))
    services.recount_saves()
    assert Choice.objects.exists()
    assert not TrackSaves.objects.exists()
