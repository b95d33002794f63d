"""Trigrams and edit distances."""

import pytest

from recommender.engine.tracks.spelling import edits, halves, one_slip_from, trigrams


def plainly(one: str, other: str) -> int:
    """The restricted Damerau-Levenshtein distance, straight from its recursive definition."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        plainly(one[:-1], other) + 1,
        plainly(one, other[:-1]) + 1,
        plainly(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    ]
    if len(one) > 1 and len(other) > 1 and one[-2:] == other[-1] + other[-2]:
        ways.append(plainly(one[:-2], other[:-2]) + 1)
    return min(ways)


WORDS = ["", "a", "ab", "ba", "abc", "acb", "cab", "bca", "abab", "baba", "aabb", "abcab", "ababb"]


@pytest.mark.parametrize("one", WORDS)
def test_edits_are_those_of_the_definition_up_to_the_limit(one: str) -> None:
    for other in WORDS:
        for limit in (0, 1, 2, 5):
            assert edits(one, other, limit) == min(plainly(one, other), limit + 1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        *(("kitten", "sitting", 3), ("rain", "rian", 1), ("rain", "rain", 0), ("ca", "abc", 3)),
        *(("sunday", "saturday", 3), ("ab", "cd", 2), ("rain", "drain", 1), ("rain", "ran", 1)),
    ],
)
def test_known_distances(one: str, other: str, expected: int) -> None:
    assert edits(one, other, 20) == edits(other, one, 20) == expected


def test_lengths_that_differ_by_the_limit_are_still_compared() -> None:
    assert edits("rain", "raining", 3) == 3
    assert edits("rain", "raining", 2) == 3
    assert edits("rain", "raining", 1) == 2


def test_rows_are_given_up_only_beyond_the_limit() -> None:
    """Each letter of "ab" is wrong: the first row costs 1, the second 2."""
    assert edits("ab", "cd", 2) == 2
    assert edits("ab", "cd", 1) == 2


def test_trigrams_are_those_of_pg_trgm() -> None:
    """As `show_trgm('cat')` of PostgreSQL's manual, F.33."""
    assert trigrams("cat") == ["  c", " ca", "cat", "at "]
    assert trigrams("a") == ["  a", " a "]
    assert trigrams("aaaa") == ["  a", " aa", "aaa", "aa "]


def test_word_of_n_letters_has_as_many_slips_as_can_be_counted() -> None:
    """For "ab" with 36 letters and digits: 2 without a letter, 2 * 35 exchanged, 1 swapped, and
    3 * 36 - 2 inserted, since doubling a letter on either side of it is the same."""
    slips = one_slip_from("ab")
    assert len(slips) == 2 + 70 + 1 + 106
    assert {"a", "b", "ba", "xb", "a9", "xab", "axb", "abx", "aab"} <= slips
    assert not {"ab", "", "abxx"} & slips
    assert len(one_slip_from("a")) == 35 + 2 * 36 - 1


def test_every_slip_is_one_edit_and_every_edit_of_the_words_letters_a_slip() -> None:
    slips = one_slip_from("abca")
    assert {plainly("abca", slip) for slip in slips} == {1}
    for other in ("bca", "aca", "aba", "abc", "baca", "acba", "abac", "abcaa", "cbca"):
        assert other in slips


def test_other_scripts_slip_within_their_own_letters() -> None:
    slips = one_slip_from("жиж")
    assert {"жж", "ижж", "жжи", "жижж", "жи"} <= slips
    assert not any("a" in slip or "з" in slip for slip in slips)


def test_word_is_halved_at_every_letter_from_four_on() -> None:
    assert halves("abc") == []
    assert halves("abcd") == [("a", "bcd"), ("ab", "cd"), ("abc", "d")]
