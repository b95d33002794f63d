import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from recommender import selectors, services, tasks
from recommender.engine.tracks.spelling import LONGEST_WORD, edits, halves, one_slip_from, trigrams
from recommender.models import SearchWord, Track
from tests.factories import make_track

WORDS = st.text("abcdeé", max_size=6)


def distance(one: str, other: str) -> int:
    return edits(one, other, 20)


def test_trigrams_cover_the_word_with_its_ends() -> None:
    assert trigrams("rain") == ["  r", " ra", "rai", "ain", "in "]
    assert len(trigrams("aaaaaa")) == len(set(trigrams("aaaaaa")))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        *(("", "", 0), ("rain", "rain", 0), ("rain", "rian", 1), ("rain", "ran", 1), ("a", "b", 1)),
        *(("kitten", "sitting", 3), ("ca", "abc", 3), ("", "abc", 3)),
    ],
)
def test_edits_count_swaps_as_one(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == expected


@given(WORDS, WORDS)
def test_edits_are_even_handed_and_stop_at_the_limit(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    for limit in (0, 1, 2):
        assert edits(one, other, limit) == min(distance(one, other), limit + 1)


@given(st.text("abc", min_size=1, max_size=6))
def test_everything_one_slip_away_is_one_edit_away(word: str) -> None:
    assert {distance(word, other) for other in one_slip_from(word)} == {1}


def test_other_scripts_have_slips_too() -> None:
    assert {"жизн", "жизьн"} <= one_slip_from("жизнь")


def test_forgotten_space_is_looked_for_everywhere() -> None:
    assert ("daft", "punk") in halves("daftpunk")
    assert halves("abc") == []


# --- in the catalogue -----------------------------------------------------------------------------


@pytest.fixture
def catalogue(db: None) -> None:
    make_track(title="Bohemian Rhapsody", artists=["Queen"], popularity=80)
    make_track(title="Max and Moritz", artists=["Wilhelm"], popularity=10)
    make_track(title="Homework", artists=["Daft Punk"], popularity=60)
    make_track(title="Café del Mar", artists=["Energy 52"], popularity=50)
    make_track(title="Жизнь моя", artists=["Земфира"], popularity=30)


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("bohemain rapsody", "Bohemian Rhapsody"),
        ("bohemian rhapsody quen", "Bohemian Rhapsody"),
        ("amx moritz", "Max and Moritz"),
        ("boheimna", "Bohemian Rhapsody"),
        ("daftpunk", "Homework"),
        ("home work daft", "Homework"),
        ("cafe dle mar", "Café del Mar"),
        ("жизнъ", "Жизнь моя"),
        ("bohemian xxxxx queen", "Bohemian Rhapsody"),
    ],
)
def test_slips_of_the_keyboard_are_forgiven(typed: str, title: str) -> None:
    assert [track.title for track in selectors.search_tracks(typed)] == [title]


@pytest.mark.usefixtures("catalogue")
def test_what_is_there_as_typed_comes_before_what_is_nearly_so() -> None:
    make_track(title="Quern", artists=["x"], popularity=1)
    assert [t.title for t in selectors.search_tracks("quern")] == ["Quern", "Bohemian Rhapsody"]
    assert [t.title for t in selectors.search_tracks("quern", 1)] == ["Quern"]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("typed", ["zzzzzzzz", "qzj", "xx yy", "rhapsody homework"])
def test_what_nothing_is_like_finds_nothing(typed: str) -> None:
    assert selectors.search_tracks(typed) == []


def test_song_under_several_ids_is_found_once(db: None) -> None:
    make_track(title="Rain", artists=["One"], popularity=10)
    best = make_track(title="Rain - Remastered 2011", artists=["One"], popularity=90)
    assert selectors.search_tracks("rain one") == [best]
    assert selectors.search_tracks("riain one") == [best]


def test_song_stands_where_its_best_known_id_does(db: None) -> None:
    for popularity, artist in ((90, "One"), (50, "Two"), (10, "One")):
        make_track(title="Rain", artists=[artist], popularity=popularity)
    assert [t.popularity for t in selectors.search_tracks("rain")] == [90, 50]


def test_imported_words_are_known_as_those_of_single_tracks_are(tmp_path: Any, db: None) -> None:
    long = "x" * (LONGEST_WORD + 1)
    path = tmp_path / "tracks.csv"
    path.write_text(f"id,name,artist,energy,valence\n{1:022},Ünder  Rain {long},B-52,0.5,0.5")
    services.import_tracks(source=str(path))
    imported = {word.word: {*word.trigrams} for word in SearchWord.objects.all()}
    assert imported == {word: {*trigrams(word)} for word in ("under", "rain", "b", "52")}
    make_track(title=f"Ünder Rain {long}", artists=["B-52"])
    assert SearchWord.objects.count() == 4
    assert [t.source_id for t in selectors.search_tracks("udner rain")] == [f"{1:022}"]


def test_words_that_no_track_says_any_more_are_forgotten(db: None) -> None:
    make_track(title="Gone Song").delete()
    Track.objects.bulk_create([Track(title="x", artists=[], search_text="song new")])
    tasks.refresh_words()
    assert set(SearchWord.objects.values_list("word", flat=True)) == {"song", "new"}


def test_command_measures_how_often_tracks_are_found(db: None) -> None:
    with pytest.raises(CommandError):
        call_command("measure_search")
    services.load_demo_catalogue()
    call_command("measure_search", "-n", "20", "--json", stdout=(out := StringIO()))
    result = json.loads(out.getvalue())
    assert result["0_slips"]["found_within_10"] == 1.0
    assert result["1_slips"]["found_within_10"] >= 0.9
    call_command("measure_search", "-n", "2", stdout=(out := StringIO()))
    assert "2 slips: found_first" in out.getvalue()
