"""Concurrent saves, removals and resets on a real PostgreSQL."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.models import User
from accounts.transactions import ATTEMPTS, atomic_with_retry
from recommender import services as recommender
from recommender.errors import SuggestionNotFoundError
from recommender.models import Choice, Suggestion, TasteProfile, Track, TrackSaves
from recommender.services.taste import recount_taste
from stories import services as stories
from stories.models import Story
from tests.factories import make_mood, make_ready_story, make_track, make_user

CHANGES, AT_ONCE = 500, 8


class Deadlock(Exception):
    """psycopg's error for a deadlock."""

    sqlstate = "40P01"


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = Deadlock()
    return error


def deadlocks() -> int:
    """Deadlocks in this database so far; counted once their connections are closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def in_threads(work: Sequence[Callable[[], object]], at_once: int = AT_ONCE) -> list[Exception]:
    """Run the calls in threads with a connection each; return what was raised."""

    def run(one: Callable[[], object]) -> Exception | None:
        try:
            one()
        except Exception as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(at_once) as pool:
        return [error for error in pool.map(run, work) if error is not None]


def change(chance: random.Random, story: Story, tracks: list[Track]) -> Callable[[], object]:
    """One random change to the music of a story."""
    user, track = story.user, chance.choice(tracks)

    def refuse() -> None:
        shown = Suggestion.objects.filter(story_id=story.pk).order_by("?").first()
        if shown is not None:
            recommender.give_feedback(
                user=user, suggestion_id=shown.pk, feedback=chance.choice(["", "not_this_one"])
            )

    everything: list[tuple[int, Callable[[], object]]] = [
        (12, lambda: stories.save_choice(story=story, track_id=track.pk)),
        (4, lambda: stories.remove_choice(story=story)),
        (4, refuse),
        (2, lambda: stories.tune_story(story=story, user=user, learns=False)),
        (2, lambda: stories.tune_story(story=story, user=user, learns=True)),
        (1, lambda: stories.tune_story(story=story, user=user, steering=chance.random())),
        (1, lambda: recommender.reset_taste(user=user)),
        (1, lambda: recommender.undo_taste_reset(user=user)),
        (1, recommender.recount_saves),
    ]
    return chance.choices([what for _, what in everything], [often for often, _ in everything])[0]


def counted(tracks: list[Track]) -> dict[UUID, tuple[int, Any]]:
    rows = TrackSaves.objects.filter(track__in=tracks, n_saves__gt=0)
    return {row.pk: (row.n_saves, pytest.approx(row.level, abs=1e-6)) for row in rows}


@pytest.mark.django_db(transaction=True)
def test_parallel_changes_meet_no_deadlock_and_leave_every_count_exact() -> None:
    chance = random.Random(5)
    tracks = [make_track(tempo=60.0 + 20 * i, valence=i / 8) for i in range(3)]
    people = [make_user() for _ in range(6)]
    tales = [make_ready_story(user) for user in people for _ in range(2)]
    for story in tales:
        recommender.suggest_tracks(user=story.user, story_id=story.pk, mood=make_mood())
    recommender.place_new_tracks()
    work = [change(chance, chance.choice(tales), tracks) for _ in range(CHANGES)]
    for place, story in zip((200, 300, 400), tales[::4], strict=True):
        work[place] = partial(stories.delete_story, story=story)
    before = deadlocks()

    errors = in_threads(work)

    # Whoever comes after the deletion hears that there is no such story or suggestion.
    assert {type(error) for error in errors} <= {Story.DoesNotExist, SuggestionNotFoundError}
    assert deadlocks() == before
    as_counted = counted(tracks)
    recommender.recount_saves()
    assert counted(tracks) == as_counted
    assert sum(n for n, _ in as_counted.values()) == Choice.objects.filter(learns=True).count() > 0
    for profile in TasteProfile.objects.select_related("user"):
        again = recount_taste(user=profile.user)
        assert profile.n_choices == again.n_choices
        assert profile.vector == pytest.approx(again.vector, abs=1e-9)
        assert profile.factor == pytest.approx(again.factor, abs=1e-6)
    gone = {*Choice.objects.values_list("story_id", flat=True)} - {
        *Story.objects.values_list("pk", flat=True)
    }
    assert not gone


@pytest.mark.django_db(transaction=True)
def test_a_recount_waits_for_a_save_that_is_not_committed_yet() -> None:
    track, user = make_track(), make_user()
    recommender.save_choice(user=user, story_id=uuid4(), track_id=track.pk)

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            recommender.save_choice(user=user, story_id=uuid4(), track_id=track.pk)
            recount = pool.submit(in_threads, [recommender.recount_saves])
            while not somebody_waits():
                assert not recount.done()
        assert recount.result() == []
    assert TrackSaves.objects.get(track=track).n_saves == 2


@pytest.mark.django_db(transaction=True)
def test_a_deletion_of_a_person_during_their_changes_meets_no_deadlock() -> None:
    from accounts.services import delete_account

    user, tracks = make_user(), [make_track() for _ in range(3)]
    tales = [make_ready_story(user) for _ in range(4)]
    saves = [
        partial(stories.save_choice, story=story, track_id=track.pk)
        for story in tales
        for track in tracks
    ]
    before = deadlocks()

    errors = in_threads([*saves[:6], lambda: delete_account(user=user), *saves[6:]], at_once=4)

    assert {type(error) for error in errors} <= {Story.DoesNotExist}
    assert deadlocks() == before
    assert not Choice.objects.exists()
    assert not TrackSaves.objects.filter(n_saves__gt=0).exists()


@pytest.mark.django_db(transaction=True)
def test_two_services_in_opposite_order_both_come_through() -> None:
    first, second = make_user(), make_user()
    both_hold_one = threading.Barrier(2, timeout=20)
    met: list[bool] = []

    @atomic_with_retry
    def rename(one: User, other: User) -> None:
        User.objects.filter(pk=one.pk).update(display_name=f"by {one.pk}")
        if len(met) < 2:  # the first time each waits until the other holds what it wants
            met.append(True)
            both_hold_one.wait()
        User.objects.filter(pk=other.pk).update(display_name=f"by {one.pk}")

    errors = in_threads([lambda: rename(first, second), lambda: rename(second, first)], at_once=2)

    assert errors == []
    names = {*User.objects.values_list("display_name", flat=True)}
    assert len(names) == 1


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_that_stays_is_raised_after_some_tries() -> None:
    tried: list[bool] = []

    @atomic_with_retry
    def fail() -> None:
        tried.append(connection.in_atomic_block)
        raise deadlock()

    with pytest.raises(OperationalError):
        fail()
    assert tried == [True] * ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_other_troubles_of_the_database_are_raised_at_once() -> None:
    tried: list[bool] = []

    @atomic_with_retry
    def fail() -> None:
        tried.append(True)
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        fail()
    assert len(tried) == 1


@pytest.mark.django_db
def test_within_another_transaction_nothing_is_tried_again() -> None:
    tried: list[bool] = []

    @atomic_with_retry
    def fail() -> None:
        tried.append(True)
        raise deadlock()

    with pytest.raises(OperationalError):
        fail()
    assert len(tried) == 1
