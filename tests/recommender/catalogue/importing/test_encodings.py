"""Encodings, delimiters and decimal marks that spreadsheets write, in many scripts."""

from itertools import product
from pathlib import Path

import pytest

from recommender.errors import ImportFailedError
from tests.recommender.catalogue.importing.tables import IDS, delimited, parsed, written

NAMES = {
    "western": "Canción de amor|Beyoncé|Björk|Motörhead|Françoise Hardy|Señorita|João Gilberto",
    "central": "Dvořák|Příběh|Žluťoučký kůň|Małomiasteczkowy|Męskie Granie|Gyöngyhajú lány|Świat",
    "cyrillic": "Кино|Группа крови|Земфира|Мумий Тролль|Миллион алых роз|Ленинград|Сплин",
    "greek": "Χάρις Αλεξίου|Γιώργος Νταλάρας|Μίκης Θεοδωράκης|Ζορμπάς|Αγάπη|Το τραγούδι",
    "turkish": "Şımarık|Barış Manço|Gülpembe|Müslüm Gürses|İbrahim Tatlıses|Değmesin|Yalnızlık",
    "hebrew": "עידן רייכל|שלמה ארצי|ירושלים של זהב|אריק איינשטיין|עוף גוזל|אהבה",
    "arabic": "أم كلثوم|فيروز|عمرو دياب|نور العين|حبيبي|نانسي عجرم",
    "japanese": "宇多田ヒカル|米津玄師|初音ミク|千本桜|夜に駆ける|東京事変|ドライフラワー",
    "korean": "방탄소년단|봄날|아이유|좋은 날|블랙핑크|강남스타일",
    "simplified": "周杰伦|青花瓷|邓丽君|月亮代表我的心|陈奕迅|五月天|十年",
    "traditional": "周杰倫|青花瓷|鄧麗君|月亮代表我的心|陳奕迅|張惠妹|倔強",
    "thai": "บอดี้สแลม|ความเชื่อ|คาราบาว|บัวลอย|ปาล์มมี่|อยากร้องดังดัง",
}
LEGACY = [
    *(("western", name) for name in ("cp1252", "latin-1", "mac_roman", "cp850")),
    *(("central", name) for name in ("cp1250", "iso8859_2")),
    *(("cyrillic", name) for name in ("cp1251", "koi8_r")),
    *(("greek", "cp1253"), ("turkish", "cp1254"), ("hebrew", "cp1255"), ("arabic", "cp1256")),
    *(("japanese", name) for name in ("cp932", "euc_jp")),
    *(("korean", "euc_kr"), ("simplified", "gb18030"), ("traditional", "big5"), ("thai", "cp874")),
]
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def table(names: list[str], delimiter: str = ",", decimal: str = ".") -> str:
    rows = [
        {
            "track_id": i,
            "track_name": name,
            "artists": name,
            "energy": f"0{decimal}25",
            "valence": 1,
        }
        for i, name in zip(IDS, names, strict=False)
    ]
    return delimited(rows, delimiter)


@pytest.mark.parametrize(("script", "encoding"), LEGACY)
def test_names_in_a_legacy_encoding_are_decoded(tmp_path: Path, script: str, encoding: str) -> None:
    names = NAMES[script].split("|")
    result = parsed(written(tmp_path / "t.csv", table(names).encode(encoding)))
    assert [track["title"] for track in result.tracks] == names


@pytest.mark.parametrize(("encoding", "script"), [*product(UNICODE, NAMES)])
def test_names_in_unicode_are_decoded(tmp_path: Path, script: str, encoding: str) -> None:
    names = NAMES[script].split("|")
    result = parsed(written(tmp_path / "t.csv", table(names).encode(encoding)))
    assert [track["title"] for track in result.tracks] == names


@pytest.mark.parametrize(
    ("encoding", "delimiter", "decimal"),
    [*product(("utf-8-sig", "utf-16", "cp1252"), ",;\t|", ".,")],
)
def test_encoding_delimiter_and_decimal_mark_are_told_together(
    tmp_path: Path, encoding: str, delimiter: str, decimal: str
) -> None:
    content = table(["Été; bleu, vert | à\tdeux"] * 3, delimiter, decimal).encode(encoding)
    result = parsed(written(tmp_path / "t.csv", content))
    assert [track["title"] for track in result.tracks] == ["Été; bleu, vert | à\tdeux"] * 3
    assert {track["energy"] for track in result.tracks} == {0.25}
    assert result.refused == {}


@pytest.mark.parametrize("letters_at", [0, 3_000])
def test_letters_late_in_a_long_file_count(tmp_path: Path, letters_at: int) -> None:
    lines = [f"{i:022},Song,Band,0.5,0.5" for i in range(3_001)]
    lines[letters_at] = f"{letters_at:022},Canción,Beyoncé,0.5,0.5"
    content = "\n".join(["track_id,name,artist,energy,valence", *lines]).encode("latin-1")
    result = parsed(written(tmp_path / "t.csv", content))
    assert result.tracks[letters_at]["title"] == "Canción"


def test_broken_line_among_utf_8_is_refused_alone(tmp_path: Path) -> None:
    lines = table(["Été", "Été", "Été"]).encode().splitlines()
    lines[2] = lines[2].decode().encode("latin-1")
    result = parsed(written(tmp_path / "t.csv", b"\n".join(lines)))
    assert result.refused == {3: "title has letters that can't be read"}
    assert [track["title"] for track in result.tracks] == ["Été", "Été"]


def test_text_that_fits_no_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", table(["€uro ä"]).encode("cp1140"))
    with pytest.raises(ImportFailedError):
        parsed(path)
    path = written(tmp_path / "t.csv", table(["Ba\xd7nd", "Ba\xf7nd", "a\xb3nd"]).encode("latin-1"))
    with pytest.raises(ImportFailedError, match="--encoding"):
        parsed(path)
    assert parsed(path, encoding="latin-1").tracks[0]["title"] == "Ba×nd"


def test_unknown_name_of_an_encoding_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", table(["a"]))
    with pytest.raises(ImportFailedError, match="no encoding named klingon"):
        parsed(path, encoding="klingon")


def test_letter_cut_off_by_the_sample_leaves_utf_8(tmp_path: Path) -> None:
    for shift in range(4):
        content = table(["x" * shift + "é" * 3000]).encode()
        assert parsed(written(tmp_path / "t.csv", content)).facts["encoding"] == "utf-8"
