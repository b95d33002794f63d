import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from recommender import selectors, services, tasks
from recommender.engine.tracks.intensity import (
    FEATURES,
    LEVELS,
    IntensityFit,
    TooFewTracksError,
    fit_intensity,
)
from recommender.models import IntensityModel, Track
from tests.factories import make_track

CALM = (80.0, -20.0, 0.15, 0.9, 0.6)
LIVELY = (115.0, -9.0, 0.55, 0.4, 0.1)
WILD = (150.0, -4.0, 0.95, 0.02, 0.0)


def catalogue(n: int = 100, seed: int = 0) -> Any:
    """`n` tracks of each of three kinds, scattered a little."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat([CALM, LIVELY, WILD], n, axis=0)
    scatter = rng.normal(0, [8, 1.5, 0.06, 0.06, 0.06], kinds.shape)
    return np.clip(kinds + scatter, [0, -60, 0, 0, 0], [250, 0, 1, 1, 1])


def test_three_kinds_of_music_become_three_classes() -> None:
    raw = catalogue()
    levels = np.array(fit_intensity(raw).levels(raw)).reshape(3, 100)
    for kind, level in zip(levels, LEVELS, strict=True):
        assert np.mean(kind == level) > 0.9


def test_cuts_follow_the_catalogue_and_are_no_fixed_numbers() -> None:
    """The same song is wild among lullabies and calm among wild ones."""
    rng = np.random.default_rng(1)
    song = [LIVELY]
    calmer = np.concatenate([rng.normal(CALM, 0.04, (300, 5)), song * 3])
    wilder = np.concatenate([rng.normal(WILD, 0.04, (300, 5)), song * 3])
    assert fit_intensity(calmer).levels(song) == ["high"]
    assert fit_intensity(wilder).levels(song) == ["low"]


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_energy_never_means_less_intensity(one: float, other: float) -> None:
    fit = fit_intensity(catalogue(40))
    calm, wild = sorted((one, other))
    levels = fit.levels([(115, -9, calm, 0.4, 0.1), (115, -9, wild, 0.4, 0.1)])
    assert LEVELS.index(levels[0]) <= LEVELS.index(levels[1])


def test_what_is_missing_counts_as_average() -> None:
    fit = fit_intensity(catalogue())
    known = [*fit.means]
    missing = [known[0], None, known[2], None, None]
    assert fit.factor([known])[0] == pytest.approx(fit.factor(np.array([missing], float))[0])


def test_catalogue_with_a_feature_that_never_varies_or_is_never_known_is_learned_from() -> None:
    raw = catalogue()
    raw[:, FEATURES.index("tempo")] = 120.0
    raw[:, FEATURES.index("instrumentalness")] = np.nan
    assert set(fit_intensity(raw).levels(raw)) == set(LEVELS)


@pytest.mark.parametrize("raw", [catalogue(3), np.repeat([LIVELY], 200, axis=0)])
def test_too_few_or_equal_tracks_teach_nothing(raw: Any) -> None:
    with pytest.raises(TooFewTracksError):
        fit_intensity(raw)


def test_fit_is_the_same_after_being_stored() -> None:
    fit = fit_intensity(catalogue())
    assert IntensityFit.from_json(json.loads(json.dumps(fit.to_json()))) == fit


# --- in the database ------------------------------------------------------------------------------


def fill_catalogue() -> None:
    Track.objects.bulk_create(
        Track(
            source=Track.Source.IMPORT,
            source_id=f"bulk{i}",
            title="x",
            artists=["y"],
            **dict(zip(FEATURES, map(float, row), strict=True)),
        )
        for i, row in enumerate(catalogue(30))
    )


@pytest.mark.django_db
def test_database_and_engine_agree_on_every_track() -> None:
    fill_catalogue()
    make_track(tempo=None, loudness=None)
    silent = make_track(energy=None)
    fit = services.refit_intensity()
    assert fit
    rows = Track.objects.exclude(pk=silent.pk).values_list("intensity", *FEATURES)
    assert [row[0] for row in rows] == fit.levels([row[1:] for row in rows])
    silent.refresh_from_db()
    assert silent.intensity == ""


@pytest.mark.django_db
def test_imported_tracks_have_their_class_at_once(tmp_path: Any) -> None:
    header = ["id", "name", "artist", "valence", *FEATURES]
    rows = [[f"{i:022}", f"s{i}", "a", 0.5, *row] for i, row in enumerate(catalogue(30))]
    path = tmp_path / "tracks.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]))
    services.import_tracks(source=str(path))
    fit = selectors.intensity_fit()
    assert fit
    stored = Track.objects.values_list("intensity", *FEATURES)
    assert [row[0] for row in stored] == fit.levels([row[1:] for row in stored])
    assert {row[0] for row in stored} == set(LEVELS)


@pytest.mark.django_db
def test_small_import_keeps_the_fit_and_a_large_one_renews_it() -> None:
    services.load_demo_catalogue()
    assert IntensityModel.objects.count() == 1
    services.load_demo_catalogue()
    assert IntensityModel.objects.count() == 1
    tasks.refit_intensity()
    assert IntensityModel.objects.count() == 2


@pytest.mark.django_db
def test_command_tells_what_was_learned() -> None:
    with pytest.raises(CommandError, match="50"):
        call_command("fit_intensity")
    fill_catalogue()
    call_command("fit_intensity", "--json", stdout=(out := StringIO()))
    result = json.loads(out.getvalue())
    assert result["n"] == sum(result["tracks"].values()) == 90
    assert result["loadings"]["energy"] > 0.9
    call_command("fit_intensity", stdout=(out := StringIO()))
    assert out.getvalue().startswith("Learned: ")


@pytest.mark.django_db
def test_the_extremes_of_energy_are_counted() -> None:
    for energy in (0.0, 0.999, 1.0):
        track = make_track(energy=energy)
        Track.objects.filter(pk=track.pk).update(intensity="high")
    high = selectors.energy_by_intensity()[2]
    assert (high.counts[0], high.counts[-1], high.n_tracks) == (1, 2, 3)
