"""Caption preprocessing: cleaned text, emoji, hashtags."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.caption.text import MAX_CHARACTERS, clean, emoji_name, readable


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
        ("write to anna.b+c@mail.example.org", "write to"),
        ("youtu.be/dQw4 and example.com today", "and today"),
        ("new IMG_2034.jpg", "new"),
        ("rain.Then sun", "rain.Then sun"),
        ("見てhttps://example.org 綺麗", "見て 綺麗"),
        ("so happy www. yes", "so happy www. yes"),
        ("so ha\u200bp\u2060py to\u00adday\ufeff", "so happy today"),
        ("می\u200cخواهم", "می خواهم"),
    ],
)
def test_hashtags_and_emoji_become_words(caption: str, read: str) -> None:
    assert readable(caption) == read


@pytest.mark.parametrize(
    "caption",
    [
        *("", " \n\t", "\u200b\u200d\ufeff", "\u200f\u202e", "\ufe0f", "\u3164", "\u2800"),
        *(".", "…", "—", "!!!", "?!", "#", "# # #", "#2024", "@", "-----", "(•)", "©", "────"),
        *("'", "\u0301"),
        *("@anna @bob", "@anna.b", "https://example.org/a?b=c", "www.example.org", "example.com"),
        *("Https://Example.org/x", "HTTP://EXAMPLE.ORG", "Www.example.org", "ftp://example.org/a"),
        *("mailto:anna@example.org", "＠anna ＠bob"),
        *("storify.app/abc", "anna@example.org", "youtu.be/dQw4w9WgXcQ", "http://", "t.co/x"),
        *("🇮🇷", "🇮🇷🇩🇪", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏽"),
        *("IMG_2034.jpg", "IMG_2034", "DSC01234.JPG", "PXL_20261128_101112", "holiday.mp4"),
        *("2026", "12:30", "28.11.2026", "2026-11-28 12:30", "18/12", "(2018)", "8)", "3 + 4 = 7"),
        *("x", "K.", "é", "e\u0301"),
    ],
)
def test_nothing_to_read_is_no_text(caption: str) -> None:
    assert readable(caption) == ""


@pytest.mark.parametrize(
    "caption",
    [
        *("😂", "❤️", "😭", "👍🏽", "🏳️‍🌈", "☀️", ":)", "...:-(", ":D", ":-P", "<3", "^^", "#blessed"),
        *("愛", "빛", "عشق", "و", "माँ", "мама", "ok", "haha", "@anna thanks"),
        *("¯\\_(ツ)_/¯", "day 1", "28 November"),
    ],
)
def test_words_and_signs_with_feeling_are_read(caption: str) -> None:
    assert readable(caption)


def test_clean_drops_control_characters_and_bounds_the_length() -> None:
    assert clean(" a\x00b\n\tc\ud800 ") == "a b c"
    assert len(clean("long " * 1000)) == MAX_CHARACTERS


def test_letters_are_no_emoji() -> None:
    assert [emoji_name(char) for char in "aß中ا1!"] == [None] * 6


def test_ten_thousand_characters_are_cut_soon() -> None:
    began = time.perf_counter()
    for caption in ("ab " * 3334, "😀" * 10_000, "#" * 10_000, "ا" * 10_000, "@a" * 5_000):
        assert len(readable(caption)) <= MAX_CHARACTERS
    assert time.perf_counter() - began < 2


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(caption: str) -> None:
    text = readable(caption)
    assert len(text) <= MAX_CHARACTERS
    assert text == " ".join(text.split())
