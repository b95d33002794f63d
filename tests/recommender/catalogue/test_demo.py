"""The demo catalogue: sound, recipes and coverage of the mood plane."""

import io
import wave
from functools import cache

import numpy as np
import pytest

from recommender.catalogue.demo.catalogue import demo_tracks
from recommender.catalogue.demo.instruments import RATE
from recommender.catalogue.demo.recipe import Recipe, recipe_for
from recommender.catalogue.demo.render import render, wav_bytes
from recommender.catalogue.importing.values import RANGES

ENERGIES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)


@cache
def sound_at(valence: float, energy: float) -> np.ndarray:
    return render(recipe_for(valence=valence, energy=energy, seed=4))


def frames(sound: np.ndarray) -> np.ndarray:
    mono, n = sound.mean(axis=1), 1024
    windows = np.lib.stride_tricks.sliding_window_view(mono, n)[:: n // 2]
    return np.abs(np.fft.rfft(windows * np.hanning(n), axis=1))


def spectral_centroid(sound: np.ndarray) -> float:
    spectrum = frames(sound).sum(axis=0)
    return float((spectrum * np.fft.rfftfreq(1024, 1 / RATE)).sum() / spectrum.sum())


def onsets_per_second(sound: np.ndarray) -> float:
    """Peaks of the spectral flux, against the loudness of the whole."""
    spectra = frames(sound)
    flux = np.maximum(np.diff(spectra, axis=0), 0.0).sum(axis=1) / spectra.sum(axis=1).mean()
    peaks = (flux[1:-1] > flux[:-2]) & (flux[1:-1] >= flux[2:]) & (flux[1:-1] > 0.4)
    return float(peaks.sum() / (len(sound) / RATE))


def rank_correlation(a: list[float], b: list[float]) -> float:
    first, second = (np.argsort(np.argsort(values)).astype(float) for values in (a, b))
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize("measure", [spectral_centroid, onsets_per_second])
def test_brightness_and_onsets_rise_with_energy(measure: object) -> None:
    assert callable(measure)
    heard = [np.mean([measure(sound_at(v, e)) for v in (0.2, 0.8)]) for e in ENERGIES]
    assert rank_correlation([*ENERGIES], heard) > 0.9
    assert heard[-1] > 2 * heard[0]


@pytest.mark.parametrize("energy", ENERGIES)
def test_sound_is_20_to_30_seconds_without_clipping_or_clicks(energy: float) -> None:
    sound = sound_at(0.8, energy)
    assert sound.shape[1] == 2
    assert 19.0 <= len(sound) / RATE <= 31.0
    assert np.isfinite(sound).all()
    assert 0.3 < np.abs(sound).max() < 0.95
    assert np.abs(sound[:3]).max() < 0.01
    assert np.abs(sound[-50:]).max() < 0.01
    assert abs(sound.mean()) < 0.01


def test_the_same_recipe_sounds_the_same() -> None:
    recipe = recipe_for(valence=0.3, energy=0.4, seed=9)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert wav_bytes(render(again)) == wav_bytes(render(recipe))


def test_wav_is_what_players_read() -> None:
    content = wav_bytes(sound_at(0.8, 0.5))
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        assert file.getnframes() == len(sound_at(0.8, 0.5))


def test_major_comes_with_valence_and_tempo_with_energy() -> None:
    tracks = demo_tracks()
    bright = [t.recipe.mode for t in tracks if t.recipe.valence > 0.65]
    dark = [t.recipe.mode for t in tracks if t.recipe.valence < 0.35]
    assert np.mean(bright) > 0.85
    assert np.mean(dark) < 0.25
    energies, tempos = [t.recipe.energy for t in tracks], [t.recipe.tempo for t in tracks]
    assert rank_correlation(energies, tempos) > 0.95


def test_catalogue_is_the_same_every_time_and_has_no_doubles() -> None:
    tracks = demo_tracks()
    assert tracks == demo_tracks()
    assert len({t.title for t in tracks}) == len({t.id for t in tracks}) == len(tracks) == 300


def test_catalogue_leaves_no_gap_in_the_plane() -> None:
    points = np.array([(t.features["valence"], t.features["energy"]) for t in demo_tracks()])
    axis = np.linspace(0.05, 0.95, 19)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 2)
    nearest = np.linalg.norm(grid - points, axis=2).min(axis=1)
    assert nearest.max() < 0.08


def test_features_lie_in_their_ranges() -> None:
    for track in demo_tracks():
        for name, value in track.features.items():
            low, high = RANGES[name]
            assert low <= value <= high, (track.title, name)


def test_told_duration_is_the_real_one() -> None:
    track = demo_tracks(1)[0]
    assert len(render(track.recipe)) / RATE * 1000 == pytest.approx(track.duration_ms, abs=2)
