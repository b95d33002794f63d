import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.engine.tracks.song_keys import artist_keys, fold, search_text, song_key


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Let It Be", "Let It Be - Remastered 2009"),
        ("Let It Be", "LET IT BE (2009 Remaster)"),
        ("Beautiful People", "Beautiful People (feat. Khalid)"),
        ("Café del Mar", "Cafe Del Mar"),
        ("One", "One - Radio Edit"),
    ],
)
def test_editions_of_one_song_have_one_key(title: str, other: str) -> None:
    assert song_key(title, ["Somebody"]) == song_key(other, ["Somebody"])


@pytest.mark.parametrize("other", ["Let It Be - Live", "Let It Be (Remix)", "Let It Be Me"])
def test_other_performances_have_other_keys(other: str) -> None:
    assert song_key("Let It Be", ["Somebody"]) != song_key(other, ["Somebody"])


def test_same_title_by_another_artist_has_another_key() -> None:
    assert song_key("Hello", ["Adele"]) != song_key("Hello", ["Lionel"])


def test_guests_do_not_change_the_key() -> None:
    assert song_key("One", ["A", "B"]) == song_key("One", ["A feat. C"])


def test_joint_credits_are_taken_apart() -> None:
    assert artist_keys(["Ánna & Ben feat. Cleo", "Dan;Eve"]) == {
        "anna",
        "ben",
        "cleo",
        "dan",
        "eve",
    }


def test_titles_without_letters_keep_their_own_keys() -> None:
    assert song_key("???", ["A"]) != song_key("!!!", ["A"])


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_gives_a_key_of_32_digits(title: str, artists: list[str]) -> None:
    assert len(song_key(title, artists)) == 32
    assert search_text(title, artists) == fold(search_text(title, artists))


def test_artist_is_compared_folded_and_by_signs_where_there_are_no_letters() -> None:
    assert song_key("One", ["Ánna"]) == song_key("One", ["ANNA"])
    assert song_key("One", ["!!!"]) != song_key("One", ["???"])
