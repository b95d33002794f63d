import random
import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from ml.mood import Gaussian, MoodTarget
from recommender import selectors, services
from recommender.catalogue import demo_tracks
from recommender.engine.scoring import MODEL_VERSION, Weights
from recommender.errors import SuggestionNotFoundError
from recommender.models import Choice, MusicPreferences, Suggestion, Track
from recommender.ranking import candidate_sources as candidates
from recommender.ranking import preference_filters
from recommender.ranking.candidate_sources import Pool
from recommender.ranking.co_saves import co_saves_of
from recommender.ranking.listener import get_listener
from recommender.ranking.rank import rank_tracks
from tests.factories import make_mood, make_track, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


def test_suggesting_reads_the_taste_and_the_factors_once(user: User) -> None:
    make_plane(2)
    services.save_choice(user=user, story_id=uuid4(), track_id=Track.objects.all()[0].pk)
    with CaptureQueriesContext(connection) as queries:
        services.suggest_tracks(user=user, story_id=uuid4(), mood=make_mood())
    reads = Counter(
        table
        for query in queries
        for table in ("recommender_tasteprofile", "recommender_factorversion")
        if f'FROM "{table}"' in query["sql"]
    )
    assert reads == {"recommender_tasteprofile": 1, "recommender_factorversion": 1}


def make_plane(steps: int = 6) -> list[Track]:
    """Tracks on a grid over the mood plane."""
    places = [(i + 0.5) / steps for i in range(steps)]
    return [make_track(valence=v, energy=e) for v in places for e in places]


def suggest(
    user: User, story_id: UUID | None = None, mood: MoodTarget | None = None, n: int = 10
) -> list[Suggestion]:
    return services.suggest_tracks(
        user=user, story_id=story_id or uuid4(), mood=mood or make_mood(), n=n
    )


def gathered(user: User, mood: Gaussian) -> Pool:
    return candidates.gather(
        listener=get_listener(user), story_id=uuid4(), mood=mood, weights=Weights()
    )


def test_liked_kinds_are_candidates_though_others_are_nearer_to_the_mood(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "NEAR", 5)
    monkeypatch.setattr(candidates, "NEAR_EACH_DRAW", 0)
    for i in range(30):
        make_track(valence=0.5 + i / 1000, energy=0.5, genre="pop")
    jazz = make_track(valence=0.55, energy=0.5, genre="jazz")
    services.rebuild_index()
    mood = make_mood(0.5, 0.5).gaussian
    assert jazz.pk.bytes not in gathered(user, mood).ids.tolist()
    services.set_preferences(user=user, liked_genres=["jazz and blues"])
    assert jazz.pk.bytes in gathered(user, mood).ids.tolist()


def test_suggestions_fit_the_mood(user: User) -> None:
    make_plane()
    shown = suggest(user, mood=make_mood(0.8, 0.2))
    assert len(shown) == 10
    for s in shown[:4]:
        assert s.track.valence == pytest.approx(0.8, abs=0.3)
        assert s.track.energy == pytest.approx(0.2, abs=0.3)


def test_every_suggestion_is_logged_as_shown(user: User) -> None:
    make_plane()
    story_id = uuid4()
    shown = suggest(user, story_id=story_id, n=5)
    logged = list(Suggestion.objects.filter(story_id=story_id).order_by("rank"))
    assert logged == shown == selectors.current_suggestions(story_id)
    assert [s.rank for s in logged] == [1, 2, 3, 4, 5]
    assert len({s.batch for s in logged}) == 1
    for s in logged:
        assert s.user == user
        assert s.model_version == MODEL_VERSION
        assert 0.0 < s.propensity <= 1.0
        assert s.score == pytest.approx(sum(s.terms.values()), abs=1e-4)
        assert s.reasons


def test_ranking_writes_nothing_and_needs_no_account() -> None:
    make_plane()
    services.rebuild_index()
    with CaptureQueriesContext(connection) as queries:
        ranking = rank_tracks(listener=get_listener(), story_id=uuid4(), mood=make_mood(), n=5)
    assert [ranked.rank for ranked in ranking.tracks] == [1, 2, 3, 4, 5]
    assert all(ranked.reasons for ranked in ranking.tracks)
    written = [q["sql"] for q in queries if re.search(r"\b(INSERT|UPDATE|DELETE)\b", q["sql"])]
    assert written == []


def test_ranking_again_shows_the_latest_list(user: User) -> None:
    make_plane()
    story_id = uuid4()
    suggest(user, story_id=story_id, mood=make_mood(0.2, 0.2))
    again = suggest(user, story_id=story_id, mood=make_mood(0.8, 0.8))
    assert selectors.current_suggestions(story_id) == again
    assert Suggestion.objects.filter(story_id=story_id).count() == 20


def test_same_story_and_mood_meet_the_same_luck(user: User) -> None:
    make_plane()
    story_id = uuid4()
    first, again = suggest(user, story_id=story_id), suggest(user, story_id=story_id)
    assert [s.track_id for s in first] == [s.track_id for s in again]


def test_stories_of_one_mood_do_not_all_get_the_same_list(user: User) -> None:
    make_plane(10)
    lists = {tuple(s.track_id for s in suggest(make_user())) for _ in range(4)}
    assert len(lists) > 1


def test_at_most_two_tracks_of_an_artist(user: User) -> None:
    for _ in range(8):
        make_track(artists=["The Many"])
    make_plane(4)
    artists = Counter(a for s in suggest(user) for a in s.track.artists)
    assert artists["The Many"] == 2


def test_one_song_under_two_ids_comes_once(user: User) -> None:
    make_track(title="Twice", artists=["A"])
    make_track(title="Twice - Remastered 2011", artists=["A"])
    assert len(suggest(user)) == 1


def test_what_was_saved_lately_is_not_suggested_again(user: User) -> None:
    saved, other = make_track(), make_track()
    twin = make_track(title=saved.title, artists=saved.artists)
    services.save_choice(user=user, story_id=uuid4(), track_id=saved.pk)
    assert [s.track for s in suggest(user)] == [other]
    user.choices.update(created_at=timezone.now() - timedelta(days=40))
    shown = {s.track for s in suggest(user)}
    assert other in shown
    assert shown & {saved, twin}


def test_the_story_keeps_showing_its_own_saved_track(user: User) -> None:
    saved, story_id = make_track(), uuid4()
    services.save_choice(user=user, story_id=story_id, track_id=saved.pk)
    assert [s.track for s in suggest(user, story_id=story_id)] == [saved]


def test_next_suggestions_lean_to_what_was_saved(user: User) -> None:
    acoustic = {"acousticness": 0.95, "instrumentalness": 0.9, "loudness": -20.0}
    quiet = [make_track(**acoustic) for _ in range(12)]
    for _ in range(12):
        make_track(acousticness=0.02, instrumentalness=0.0, loudness=-4.0)
    story_ids = [uuid4() for _ in range(6)]
    before = [s.track for i in story_ids for s in suggest(make_user(), story_id=i, n=6)]
    for track in quiet[:2]:
        services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)
    leaning = [s for i in story_ids for s in suggest(user, story_id=i, n=6)]
    assert sum(s.track in quiet for s in leaning) >= 30 > sum(t in quiet for t in before)
    assert any("Close to what you saved before" in s.reasons for s in leaning)
    assert all(s.terms["taste"] > 0 for s in leaning if s.track in quiet)


def test_tracks_that_the_like_minded_saved_are_found_far_from_the_mood(user: User) -> None:
    make_plane(14)
    shared, far = make_track(), make_track(valence=0.01, energy=0.99)
    for fellow in (make_user(), make_user(), make_user()):
        services.save_choice(user=fellow, story_id=uuid4(), track_id=shared.pk)
        services.save_choice(user=fellow, story_id=uuid4(), track_id=far.pk)
    services.save_choice(user=user, story_id=uuid4(), track_id=shared.pk)
    together = co_saves_of(get_listener(user))
    assert list(together) == [far.pk]
    mood = make_mood(0.9, 0.1, sd=0.05).gaussian
    assert far.pk.bytes in gathered(user, mood).ids.tolist()


def test_co_saves_do_not_depend_on_where_rows_lie(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    saved = [make_track() for _ in range(3)]
    for track in saved:
        services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)
    for number in range(18):  # more than are sampled, all at the same moment
        fellow = make_user()
        for track in (*saved[: number % 3 + 1], make_track()):
            services.save_choice(user=fellow, story_id=uuid4(), track_id=track.pk)
    before = co_saves_of(get_listener(user))
    choices = [*Choice.objects.order_by("-pk")]
    Choice.objects.all().delete()
    Choice.objects.bulk_create(choices)
    after = co_saves_of(get_listener(user))
    assert list(after.items()) == list(before.items())


def test_one_user_is_no_crowd(user: User) -> None:
    first, second = make_track(), make_track()
    for track in (first, second):
        services.save_choice(user=user, story_id=uuid4(), track_id=track.pk)
    assert co_saves_of(get_listener(user)) == {}


def test_what_was_shown_with_other_stories_sinks(user: User) -> None:
    make_track()
    assert suggest(user)[0].terms["again"] == 0.0
    assert suggest(user)[0].terms["again"] < 0.0


def test_refused_track_leaves_the_list_and_stays_away(user: User) -> None:
    make_plane(2)
    story_id = uuid4()
    refused = suggest(user, story_id=story_id)[0]
    services.give_feedback(user=user, suggestion_id=refused.pk, feedback="not_this_one")
    assert refused not in selectors.current_suggestions(story_id)
    assert refused.track not in {s.track for s in suggest(user, story_id=story_id)}
    assert refused.track in {s.track for s in suggest(user)}


def test_feedback_is_only_for_those_who_were_shown_it(user: User) -> None:
    make_track()
    theirs = suggest(make_user())[0]
    with pytest.raises(SuggestionNotFoundError):
        services.give_feedback(user=user, suggestion_id=theirs.pk, feedback="not_this_one")


def test_tracks_without_mood_or_past_their_time_are_not_suggested(user: User) -> None:
    make_track(valence=None)
    make_track(expires_at=timezone.now() - timedelta(seconds=1))
    assert suggest(user) == []


def test_candidates_come_from_the_mood_indexes() -> None:
    rng = random.Random(0)
    Track.objects.bulk_create(
        Track(source_id=i, artists=[], valence=rng.random(), energy=rng.random(), popularity=i % 60)
        for i in range(6000)
    )
    parameters: dict[str, Any] = {"energy": [0.5], "valence": [0.5], "around": 50, "popular": 16}
    parameters |= preference_filters.parameters(MusicPreferences()) | demo_tracks.parameters(
        demo_in_use=False
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE recommender_track")
        cursor.execute(f"EXPLAIN {candidates._AROUND}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using track_mood on" in plan
    assert "Index Scan using track_mood_popular on" in plan
    assert "Seq Scan" not in plan


def test_candidates_spread_as_the_mood_does(user: User) -> None:
    make_plane(30)
    mood = make_mood(0.5, 0.5, sd=0.12)
    pool = gathered(user, mood.gaussian)
    spread = pool.features.mood_points.std(axis=0)
    assert spread == pytest.approx([0.12, 0.12], abs=0.05)
    assert len(pool.ids) > 250


def test_refused_song_stays_away_under_its_other_id(user: User) -> None:
    for _ in range(2):
        make_track(title="Rain", artists=["One"])
    story_id = uuid4()
    (refused,) = suggest(user, story_id=story_id)
    services.give_feedback(user=user, suggestion_id=refused.pk, feedback="not_this_one")
    assert suggest(user, story_id=story_id) == []
