"""What is read of a caption before any network: cleaned text, emoji, hashtags, n-grams."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.caption.ngrams import ids_of, padded, share_known, vocabulary
from ml.caption.text import LONGEST, clean, emoji_name, hashed, ngrams, readable, tokens


@pytest.mark.parametrize(
    ("caption", "read"),
    [
        ("#NeverStopBelieving", "Never Stop Believing"),
        ("#best_day_2024", "best day 2024"),
        ("#счастьеЕсть #خوشحال_شدم", "счастье Есть خوشحال شدم"),
        ("＃楽しすぎた", "楽しすぎた"),
        ("home 🏡", "home 🏡 house garden"),
        ("we ❤️❤️❤️ you", "we ❤ heart you"),
        ("👩🏽‍🚀", "👩 woman 🚀 rocket"),
        ("🇮🇷", ""),
        ("see https://example.org/a?b=c @someone now", "see now"),
        ("a\x00b\u202ec", "a b c"),
    ],
)
def test_hashtags_and_emoji_become_words(caption: str, read: str) -> None:
    assert readable(caption) == read


def test_clean_drops_control_characters_and_bounds_the_length() -> None:
    assert clean(" a\x00b\n\tc\ud800 ") == "a b c"
    assert len(clean("long " * 1000)) == LONGEST


def test_letters_are_no_emoji() -> None:
    assert [emoji_name(char) for char in "aß中ا1!"] == [None] * 6


def test_words_lose_apostrophes_stretching_and_capitals() -> None:
    assert tokens("DON'T be soooo sad :( !!!") == ["dont", "be", "soo", "sad", ":(", "!!"]


def test_ngrams_are_words_their_neighbours_and_their_parts() -> None:
    grams = list(ngrams(["so", "glad"]))
    assert {"so", "glad", "so glad", "_<so>", "_glad", "_<glad"} <= set(grams)
    assert len(hashed(iter(grams))) == len(set(grams))


def test_only_known_ngrams_are_numbered_and_0_fills_up() -> None:
    texts = [hashed(ngrams([word])) for word in ("glad", "glad", "rare")]
    known = vocabulary(texts, least=2, most=10)
    assert set(ids_of(texts[0], known)) == set(range(1, len(known) + 1))
    assert ids_of(texts[2], known).size == 0
    rows = padded([ids_of(texts[0], known), ids_of(texts[2], known)])
    assert rows.shape == (2, len(known))
    assert not rows[1].any()


def test_share_of_known_words_leaves_emoji_and_marks_out() -> None:
    known = vocabulary([hashed(ngrams(["glad", "heart"]))], least=1, most=99)
    assert share_known("Glad!", known) == 1
    assert share_known("glad сегодня ❤️ :)", known) == 0.5
    assert share_known("❤️ 12:30", known) == 1


def test_ten_thousand_characters_are_cut_soon() -> None:
    began = time.perf_counter()
    for caption in ("ab " * 3334, "😀" * 10_000, "#" * 10_000, "ا" * 10_000, "@a" * 5_000):
        assert len(readable(caption)) <= LONGEST
        assert len(hashed(ngrams(tokens(caption)))) < 10_000
    assert time.perf_counter() - began < 2


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(caption: str) -> None:
    text = readable(caption)
    assert len(text) <= LONGEST
    assert text == " ".join(text.split())
    assert hashed(ngrams(tokens(caption))).dtype == np.uint32
