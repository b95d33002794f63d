"""Known results for each supported layout, and published files."""

from pathlib import Path
from typing import Any

import pytest

from recommender.catalogue.importing.layouts import plain, recognised
from recommender.errors import ImportFailedError
from tests.recommender.catalogue.importing.tables import parsed, written

ID = "6f807x0ima9a1j3VPbc7VN"
URI = f"spotify:track:{ID}"
NO_FEATURES: tuple[str, ...] = ()
TRACK = {"source_id": ID, "title": "Song", "energy": 0.6, "valence": 0.25}


def track(header: str, row: str, folder: Path, needed: tuple[str, ...] | None = None) -> Any:
    path = written(folder / "t.csv", f"{header}\n{row}\n")
    result = parsed(path) if needed is None else parsed(path, needed=needed)
    assert (result.refused, result.left_out) == ({}, [])
    return {**result.tracks[0], "layout": result.facts["layout"]}


FEATURES = "Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,"
FEATURES += "Liveness,Valence,Tempo,Time Signature"
VALUES = "0.5,0.6,5,-6.1,1,0.05,0.1,0,0.1,0.25,120.5,4"
LAYOUTS = {
    "Exportify now": (
        "\ufeffTrack URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),"
        f"Popularity,Explicit,Added By,Added At,Genres,Record Label,{FEATURES}",
        f'{URI},"Song","Album","One;Tyler, The Creator",2021-05-01,200000,55,false,,'
        f'2024-01-01T00:00:00Z,"pop,rock","L",{VALUES}',
        {
            **TRACK,
            "layout": "Exportify",
            "artists": ["One", "Tyler, The Creator"],
            "release_date": "2021-05-01",
            "duration_ms": 200_000,
            "explicit": False,
            "genre": "pop,rock",
            "tempo": 120.5,
        },
    ),
    "Exportify before": (
        "Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),"
        f"Popularity,Added By,Added At,Genres,{FEATURES}",
        f'{ID},"a,b","Song","Album","One,Two",2021,200000,55,u,t,"pop",{VALUES}',
        {**TRACK, "layout": "Exportify", "artists": ["One", "Two"], "release_date": "2021"},
    ),
    "the other Exportify": (
        "Track URI,Track Name,Artist URI(s),Artist Name(s),Album URI,Album Name,"
        "Album Artist URI(s),Album Artist Name(s),Album Release Date,Album Image URL,Disc Number,"
        "Track Number,Track Duration (ms),Track Preview URL,Explicit,Popularity,ISRC,Added By,"
        f"Added At,Artist Genres,{FEATURES}",
        f'"{URI}","Song","spotify:artist:a, spotify:artist:b","Tyler\\, The Creator, Two",'
        f'"spotify:album:x","Album","spotify:artist:a","Tyler\\, The Creator","2021-05","http://i",'
        f'"1","2","200000","","true","55","USRC12100001","u","t","pop, rap",{VALUES}',
        {
            **TRACK,
            "layout": "Exportify",
            "artists": ["Tyler, The Creator", "Two"],
            "album": "Album",
            "release_date": "2021-05",
            "explicit": True,
        },
    ),
    "Ultimate Spotify Tracks DB": (
        "genre,artist_name,track_name,track_id,popularity,acousticness,danceability,duration_ms,"
        "energy,instrumentalness,key,liveness,loudness,mode,speechiness,tempo,time_signature,valence",
        f'Movie,"Earth, Wind & Fire",Song,{ID},10,0.6,0.4,99373,0.6,0.0,C#,0.3,-5.1,Minor,0.05,'
        "160.1,4/4,0.25",
        {
            **TRACK,
            "layout": "Ultimate Spotify Tracks DB",
            "artists": ["Earth, Wind & Fire"],
            "key": 1,
            "mode": 0,
            "time_signature": 4,
            "genre": "Movie",
        },
    ),
    "160k tracks": (
        "valence,year,acousticness,artists,danceability,duration_ms,energy,explicit,id,"
        "instrumentalness,key,liveness,loudness,mode,name,popularity,release_date,speechiness,tempo",
        '0.25,1921,0.98,"[\'Sergei Rachmaninoff\', ""Destiny\'s Child""]",0.28,831667,0.6,0,'
        f"{ID},0.88,10,0.67,-20.1,1,Song,4,1921,0.04,80.9",
        {
            **TRACK,
            "layout": "Spotify tracks 1921-2020",
            "artists": ["Sergei Rachmaninoff", "Destiny's Child"],
            "release_date": "1921",
            "release_year": 1921,
            "explicit": False,
        },
    ),
    "600k tracks": (
        "id,name,popularity,duration_ms,explicit,artists,id_artists,release_date,danceability,"
        "energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
        "time_signature",
        f"{ID},Song,6,126903,1,\"['A;B']\",\"['x']\",1922-02-22,0.6,0.6,0,-13.3,1,0.4,0.6,0.7,0.1,"
        "0.25,104.8,3",
        {**TRACK, "layout": "Spotify tracks 1921-2020", "artists": ["A;B"], "explicit": True},
    ),
    "Spotify 1.2M+": (
        "id,name,album,album_id,artists,artist_ids,track_number,disc_number,explicit,danceability,"
        "energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
        "duration_ms,time_signature,year,release_date",
        f"{ID},Song,Album,x,\"['Rage', 'Two']\",\"['y', 'z']\",1,1,False,0.47,0.6,7,-5.4,1,0.07,"
        "0.02,0.00001,0.35,0.25,117.9,210133,4.0,1999,0000",
        {
            **TRACK,
            "layout": "Spotify 1.2M+",
            "artists": ["Rage", "Two"],
            "time_signature": 4,
            "release_date": "1999",
        },
    ),
    "dataset.csv": (
        ",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,"
        "energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
        "time_signature,track_genre",
        f'0,{ID},"One;Two, Three",Album,Song,73,230666,False,0.676,0.6,1,-6.7,0,0.1,0.03,0,0.3,'
        "0.25,87.9,4,acoustic",
        {**TRACK, "layout": "dataset.csv", "artists": ["One", "Two, Three"], "genre": "acoustic"},
    ),
    "TidyTuesday": (
        "track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,"
        "track_album_release_date,playlist_name,playlist_id,playlist_genre,playlist_subgenre,"
        "danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,"
        "valence,tempo,duration_ms",
        f"{ID},Song,A;B,66,2oCs0DGTsRO98Gh5ZSl2Cx,Album,2019-06-14,Pop,37i9dQZF1DXcBWIGoYBM5M,pop,"
        "dance pop,0.7,0.6,6,-2.6,1,0.06,0.1,0,0.07,0.25,122.0,194754",
        {**TRACK, "layout": "TidyTuesday", "artists": ["A;B"], "genre": "pop"},
    ),
    "Chosic": (
        "#,Song,Artist,Popularity,BPM,Genres,Parent Genres,Album,Album Date,Time,Dance,Energy,"
        "Acoustic,Instrumental,Happy,Speech,Live,Loud (Db),Key,Time Signature,Added At,"
        "Spotify Track Id,Album Label,Camelot,Spotify Track Img,Song Preview",
        f'1,Song,"One, Two",66,118,"pop, rock",Pop,Album,2001-09-11,03:25,71,60,3,0,25,5,12,-5,'
        f"A♯/B♭ Minor,4,2024-01-01,{ID},Label,3A,i,p",
        {
            **TRACK,
            "layout": "Chosic",
            "artists": ["One", "Two"],
            "danceability": 0.71,
            "speechiness": 0.05,
            "duration_ms": 205_000,
            "key": 10,
            "mode": 0,
        },
    ),
    "percentages in the header": (
        "id,name,artist(s)_name,released_year,bpm,valence_%,energy_%",
        f"{ID},Song,Someone,2023,125,25,60",
        {**TRACK, "artists": ["Someone"], "release_date": "2023", "tempo": 125.0},
    ),
    "plurals and units in brackets": (
        "Spotify URI,Track Name(s),Artist(s),Energy,Valence,Genre (s),Length (s)",
        f"{URI},Song,Someone,0.6,0.25,pop,200.5",
        {**TRACK, "artists": ["Someone"], "genre": "pop", "duration_ms": 200_500},
    ),
    "names in another style": (
        "TRACK-ID;TrackName;Artist Name (s);Energy ;  valence;Duration (s);Release Year",
        f"{ID};Song;Someone;0,6;0,25;200,5;1999",
        {**TRACK, "artists": ["Someone"], "duration_ms": 200_500, "release_year": 1999},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_gives_the_known_answer(tmp_path: Path, name: str) -> None:
    header, row, expected = LAYOUTS[name]
    given = track(header, row, tmp_path)
    assert {field: given[field] for field in expected} == expected


TUNE_MY_MUSIC = "Track name,Artist name,Album,Playlist name,Type,ISRC,Spotify - id"
SOUNDIIZ = "title,artist,album,isrc"
BASE_EXPORTIFY = "Track URI,Track Name,Artist URI(s),Artist Name(s),Album URI,Album Name,ISRC"


@pytest.mark.parametrize(
    ("header", "missing", "advice"),
    [
        (TUNE_MY_MUSIC, "energy (energy), valence", "--without-features"),
        (BASE_EXPORTIFY, "energy (energy), valence", "--without-features"),
        (SOUNDIIZ, "source_id (track_id or id or uri", "Without Spotify ids"),
    ],
)
def test_layout_without_features_says_what_is_missing_and_what_to_do(
    tmp_path: Path, header: str, missing: str, advice: str
) -> None:
    path = written(tmp_path / "t.csv", f"{header}\na,b,c,d,e,f,{ID}\n")
    with pytest.raises(ImportFailedError) as raised:
        parsed(path)
    for part in (missing, advice, f"Its columns are: {header.replace(',', ', ')}."):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (TUNE_MY_MUSIC, f'Song,"One, Two",Album,My list,Favorite,GBAYE0601498,{ID}'),
        (BASE_EXPORTIFY, f'{URI},Song,"a, b","One, Two",x,Album,GBAYE0601498'),
        (
            SOUNDIIZ + ",url",
            f'Song,"One, Two",Album,GBAYE0601498,https://open.spotify.com/track/{ID}',
        ),
    ],
)
def test_layout_without_features_is_read_where_none_are_needed(
    tmp_path: Path, header: str, row: str
) -> None:
    given = track(header, row, tmp_path, NO_FEATURES)
    assert (given["source_id"], given["title"], given["album"]) == (ID, "Song", "Album")
    assert (given["artists"], given["energy"]) == (["One", "Two"], None)


def test_id_is_taken_from_whichever_column_has_one(tmp_path: Path) -> None:
    header = "id,uri,name,artist,energy,valence"
    assert track(header, f"17,{URI},Song,A,0.6,0.25", tmp_path)["source_id"] == ID


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,name,name,artist,energy,energy,valence", f"{ID},,Song,A,,0.6,0.25"),
        ("id,name,artist,energy_%,energy,valence", f"{ID},Song,A,,0.6,0.25"),
    ],
)
def test_of_a_column_that_is_there_twice_the_first_value_counts(
    tmp_path: Path, header: str, row: str
) -> None:
    given = track(header, row, tmp_path)
    assert {field: given[field] for field in TRACK} == TRACK


def test_missing_columns_message_stays_short_for_a_wide_file(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", ",".join("x" * 500 + str(n) for n in range(1000)))
    with pytest.raises(ImportFailedError, match="and 940 more") as raised:
        parsed(path)
    assert len(str(raised.value)) < 4000


def test_names_of_columns_are_compared_without_case_and_punctuation() -> None:
    spellings = (
        "Artist Name(s)",
        "artist_names",
        " ARTIST-NAMES ",
        "artistNames",
        "\ufeffArtist names",
    )
    assert {plain(name) for name in spellings} == {"artistnames"}
    assert recognised(["Energy", "VALENCE", "Sp\u00f6rk", ""]) == 2
