from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from recommender import personal_data, services
from recommender.engine.scoring import Weights
from recommender.factors.index_rows import track_batches
from recommender.models import Choice, Track, TrackSaves
from recommender.ranking import candidate_sources
from recommender.ranking.listener import get_listener
from recommender.ranking.trending import half_lives
from recommender.services.saves import add_save
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db


def recent(track: Track, now: datetime | None = None) -> float:
    """Saves of the track as they count now."""
    row = TrackSaves.objects.get(track=track)
    return float(2 ** (row.level - half_lives(now or timezone.now())))


def save(user: User, track: Track, story_id: UUID | None = None) -> None:
    services.save_choice(user=user, story_id=story_id or uuid4(), track_id=track.pk)


def test_saves_count_at_once_and_half_as_much_a_half_life_later(settings: Settings) -> None:
    settings.RECOMMENDER_TREND_HALF_LIFE_DAYS = 7.0
    track = make_track()
    for _ in range(3):
        save(make_user(), track)
    assert TrackSaves.objects.get(track=track).n_saves == 3
    assert recent(track) == pytest.approx(3.0, rel=1e-3)
    assert recent(track, timezone.now() + timedelta(days=7)) == pytest.approx(1.5, rel=1e-3)


def test_old_saves_count_less_than_one_of_today() -> None:
    track, now = make_track(), timezone.now()
    for days in (70, 70, 0):
        add_save(track_id=track.pk, at=now - timedelta(days=days))
    assert recent(track, now) == pytest.approx(1.0 + 2 * 2**-10, rel=1e-6)


def test_saves_of_ages_apart_do_not_fail() -> None:
    track, now = make_track(), timezone.now()
    add_save(track_id=track.pk, at=now - timedelta(days=365 * 50))
    add_save(track_id=track.pk, at=now)
    assert recent(track, now) == pytest.approx(1.0)


def test_counting_anew_agrees_with_counting_save_by_save() -> None:
    track = make_track()
    for days in (0, 3, 30, 4000):
        at = timezone.now() - timedelta(days=days)
        Choice.objects.create(
            user=make_user(), story_id=uuid4(), track=track, source=track.source, created_at=at
        )
        add_save(track_id=track.pk, at=at)
    row = TrackSaves.objects.get(track=track)
    services.recount_saves()
    again = TrackSaves.objects.get(track=track)
    assert again.n_saves == row.n_saves == 4
    assert again.level == pytest.approx(row.level, abs=1e-6)


def test_taking_a_save_back_takes_it_out_of_the_trend() -> None:
    track, story_id = make_track(), uuid4()
    person = make_user()
    save(person, track, story_id)
    save(make_user(), track)
    services.remove_choice(user=person, story_id=story_id)
    assert TrackSaves.objects.get(track=track).n_saves == 1
    assert recent(track) == pytest.approx(1.0, rel=1e-3)


def test_erasing_a_person_takes_their_saves_out_of_the_trend() -> None:
    track, person = make_track(), make_user()
    save(person, track)
    personal_data.erase(person)
    assert TrackSaves.objects.get(track=track).n_saves == 0
    assert recent(track) == 0.0


def test_what_is_trending_is_found_far_from_the_mood() -> None:
    far = make_track(valence=0.05, energy=0.95)
    for _ in range(60):
        make_track(valence=0.9, energy=0.1)
    save(make_user(), far)
    mood = make_mood(0.9, 0.1, sd=0.05).gaussian
    pool = candidate_sources.gather(
        listener=get_listener(make_user()), story_id=uuid4(), mood=mood, weights=Weights()
    )
    row = pool.ids.tolist().index(far.pk.bytes)
    assert pool.features.recent_saves is not None
    assert pool.features.recent_saves[row] == pytest.approx(1.0, rel=1e-3)
    assert np.count_nonzero(pool.features.recent_saves) == 1


def test_a_longer_half_life_makes_no_save_count_more_than_one_of_now(settings: Settings) -> None:
    """As long as the levels are those of the shorter one, so until the next daily recount."""
    settings.RECOMMENDER_TREND_HALF_LIFE_DAYS = 7.0
    track, person = make_track(), make_user()
    for _ in range(3):
        save(make_user(), track)
    settings.RECOMMENDER_TREND_HALF_LIFE_DAYS = 30.0
    save(make_user(), track)
    (batch,) = track_batches(Track.objects.all())
    pool = candidate_sources.gather(
        listener=get_listener(person),
        story_id=uuid4(),
        mood=make_mood().gaussian,
        weights=Weights(),
    )
    assert np.isfinite(batch.known).all()
    assert pool.features.recent_saves is not None
    assert pool.features.recent_saves.tolist() == [4.0]
