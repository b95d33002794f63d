"""Synthesise tones by additive synthesis, and drums from sines and noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE = 32_000


@dataclass(frozen=True)
class Timbre:
    """A timbre whose partials fall off as k^-slope; times in seconds."""

    slope: float
    attack: float
    decay: float
    """Time constant of the decay; a long one sustains the note."""
    odd_only: bool = False
    shimmer: float = 0.0
    """Detuning of a second voice, as a fraction of the pitch."""


TIMBRES = {
    "strings": Timbre(slope=1.5, attack=0.18, decay=6.0, shimmer=0.003),
    "organ": Timbre(slope=1.9, attack=0.06, decay=8.0, odd_only=True, shimmer=0.002),
    "music_box": Timbre(slope=2.1, attack=0.006, decay=0.55),
    "keys": Timbre(slope=1.7, attack=0.012, decay=0.8, shimmer=0.001),
    "pluck": Timbre(slope=1.4, attack=0.006, decay=0.4),
    "synth": Timbre(slope=1.2, attack=0.012, decay=1.2, shimmer=0.004),
    "saw": Timbre(slope=1.0, attack=0.02, decay=2.0, shimmer=0.006),
    "bass": Timbre(slope=2.0, attack=0.012, decay=1.0),
    "pad": Timbre(slope=1.8, attack=0.12, decay=8.0, shimmer=0.003),
}
_RELEASE = 0.09
_TOP = 0.42 * RATE
_PARTIALS = 16


def tone(pitch: int, seconds: float, timbre: Timbre, brightness: float) -> Samples:
    """One note at unit loudness; `brightness` in [0, 1] lifts the upper partials."""
    n = int((seconds + _RELEASE) * RATE)
    time = np.arange(n, dtype=np.float32) / np.float32(RATE)
    frequency = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    slope = max(timbre.slope + 2.2 * (0.6 - brightness), 0.7)
    sound = _partials(time, frequency, slope, timbre)
    if timbre.shimmer:
        sound += _partials(time, frequency * (1.0 + timbre.shimmer), slope, timbre)
        sound *= 0.5
    return sound * _envelope(time, seconds, timbre)


def _partials(time: Samples, frequency: float, slope: float, timbre: Timbre) -> Samples:
    """sin(kx) for k = 1, 2, ... by the recurrence 2 cos(x) sin(kx) - sin((k-1)x)."""
    phase = (2.0 * np.pi * frequency * time.astype(np.float64)) % (2.0 * np.pi)
    twice_cos = (2.0 * np.cos(phase)).astype(np.float32)
    before, now = np.zeros_like(time), np.sin(phase).astype(np.float32)
    sound = np.zeros_like(time)
    for k in range(1, min(_PARTIALS, int(_TOP / frequency)) + 1):
        if k % 2 or not timbre.odd_only:
            sound += now * np.float32(k**-slope)
        before, now = now, twice_cos * now - before
    return sound


def _envelope(time: Samples, seconds: float, timbre: Timbre) -> Samples:
    attack = 0.5 - 0.5 * np.cos(np.pi * np.minimum(time / timbre.attack, 1.0))
    release = np.clip((seconds + _RELEASE - time) / _RELEASE, 0.0, 1.0)
    shape: Samples = (attack * np.exp(-time / timbre.decay) * release).astype(np.float32)
    return shape


@lru_cache(maxsize=8)
def drum(part: str) -> Samples:
    """One drum hit at unit loudness; always the same."""
    time = np.arange(int(0.3 * RATE)) / RATE
    noise = np.random.default_rng(7).uniform(-1.0, 1.0, len(time))
    if part == "kick":
        sweep = 2.0 * np.pi * (48.0 * time + 100.0 * 0.03 * (1.0 - np.exp(-time / 0.03)))
        sound = np.sin(sweep) * np.exp(-time / 0.09)
    elif part == "snare":
        body = 0.4 * np.sin(2.0 * np.pi * 190.0 * time) * np.exp(-time / 0.05)
        sound = body + 0.5 * noise * np.exp(-time / 0.07)
    else:
        sound = 0.6 * np.diff(noise, prepend=0.0) * np.exp(-time / 0.025)
    sound[:64] *= np.linspace(0.0, 1.0, 64)
    return sound.astype(np.float32)
