import pytest

from recommender.catalogue.languages import language_name, parse_language
from recommender.engine.tracks.genres import FAMILIES, family


@pytest.mark.parametrize(
    ("genre", "expected"),
    [
        ("German Hip Hop", "hip hop"),
        ("hip_hop", "hip hop"),
        ("latin hip hop", "hip hop"),
        ("dance_pop", "pop"),
        ("Dance/Electronic", "electronic"),
        ("R&B", "r&b and soul"),
        ("reggaeton flow", "latin"),
        ("reggae fusion", "reggae"),
        ("Folk pop", "country and folk"),
        ("piano rock", "rock"),
        ("Lo-fi", "ambient"),
        ("", ""),
        ("other", ""),
    ],
)
def test_genre_belongs_to_its_family(genre: str, expected: str) -> None:
    assert family(genre) == expected
    assert expected in (*FAMILIES, "")


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_in_itself(name: str) -> None:
    assert family(name) == name


@pytest.mark.parametrize(
    ("text", "code"),
    [("en", "en"), ("EN-us", "en"), ("English", "en"), ("zxx", "zxx"), ("nb", "no"), ("", "")]
    + [(text, "") for text in ("Klingon", "xx", "?", "e")],
)
def test_language_is_read_as_code_or_name(text: str, code: str) -> None:
    assert parse_language(text) == code


def test_language_is_told_by_name() -> None:
    assert (language_name("de"), language_name("tlh")) == ("German", "tlh")
