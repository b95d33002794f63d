"""The data that `make bench` fills a site with."""

import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from ml.video import SIDE
from recommender import services
from recommender.models import Choice, Track
from stories.uploads.videos import read_video
from storify_site.bench.catalogue import write_tracks
from storify_site.bench.photos import photos
from storify_site.bench.videos import video_of
from tests.factories import make_track, make_user

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.mark.parametrize("with_real", [True, False])
def test_drawn_catalogue_is_imported_whole(tmp_path: Path, with_real: bool) -> None:
    real = tmp_path / "real.parquet"
    write_tracks(real, 40, None, seed=1)
    write_tracks(tmp_path / "drawn.parquet", 60, real if with_real else None)
    report = services.import_tracks(source=str(tmp_path / "drawn.parquet"))
    assert (report.accepted, report.rejected) == (60, 0)
    assert Track.objects.values("song_key").distinct().count() == 60


def test_people_choose_as_the_file_says(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = True
    tracks = [make_track() for _ in range(3)]
    pairs = [("a", tracks[0]), ("a", tracks[1]), ("b", tracks[2])]
    table = pa.table(
        {"user_id": [p for p, _ in pairs], "track_id": [t.source_id for _, t in pairs]}
    )
    pq.write_table(table, tmp_path / "interactions.parquet")
    answer = run("bench_people", "--interactions", str(tmp_path / "interactions.parquet"))
    assert (answer["people"], answer["choices"]) == (2, 3)
    chosen = Choice.objects.filter(user__email="listener-0@bench.test")
    assert {choice.track for choice in chosen} == {*tracks[:2]}


def test_people_are_made_up_on_a_local_site_only(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG on"):
        call_command("bench_people")


def test_factors_alone_are_timed() -> None:
    answer = run("bench_factors", "--people", "30", "--tracks", "20", "--choices", "200")
    assert 100 < answer["choices"] <= 200


def test_a_drawn_video_is_one_that_the_site_takes() -> None:
    video = read_video(io.BytesIO(video_of(photos(1, None)[0], 0)), "mp4")
    assert video.seconds == pytest.approx(2.0, abs=0.1)
    assert max(video.poster.width, video.poster.height) == SIDE


def test_analysis_alone_is_timed() -> None:
    answer = run("bench_analysis", "-n", "2")
    assert answer["n"] == 2
    assert answer["p50_ms"] <= answer["p95_ms"]


def test_candidates_of_a_small_catalogue_miss_nothing() -> None:
    make_user(email="demo@storify.test")
    for place in range(60):
        make_track(valence=place / 60)
    services.rebuild_index()
    answer = run("bench_suggestions", "-n", "2", "--recall", "2", "--json")
    assert answer["recall"] == {"n": 2, "top": 50, "mean": 1.0, "sd": 0.0, "least": 1.0}
