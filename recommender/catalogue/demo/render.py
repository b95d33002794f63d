"""Render a recipe to a WAV file: play the notes, add reverb and master the mix."""

from __future__ import annotations

import io
import wave

import numpy as np

from recommender.catalogue.demo.arrangement import Note, arrange, duration
from recommender.catalogue.demo.instruments import RATE, TIMBRES, Samples, drum, tone
from recommender.catalogue.demo.recipe import Recipe

# Increase whenever the same recipe sounds different, so that cached files are replaced.
RENDERER_VERSION = 1
_PAN = {"lead": 0.58, "chord": 0.42, "bass": 0.5, "kick": 0.5, "snare": 0.54, "hat": 0.36}
_LEVEL = {"lead": 0.5, "chord": 0.2, "bass": 0.5, "kick": 0.9, "snare": 0.5, "hat": 0.3}
_PEAK = 0.89


def render(recipe: Recipe) -> Samples:
    """The track as stereo samples (n, 2) in [-1, 1] at RATE."""
    notes = arrange(recipe)
    dry = _play(notes, recipe)
    wet = _reverb(dry.mean(axis=1), seconds=2.4 - 1.4 * recipe.energy)
    mixed = dry + (0.5 - 0.35 * recipe.energy) * wet
    return _master(mixed, recipe.energy)


def wav_bytes(samples: Samples) -> bytes:
    """A 16-bit WAV file of samples (n, channels) in [-1, 1]."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767.0).astype("<i2").tobytes())
    return buffer.getvalue()


def _play(notes: list[Note], recipe: Recipe) -> Samples:
    out = np.zeros((int(duration(recipe) * RATE), 2), dtype=np.float32)
    played: dict[tuple[str, int, int], Samples] = {}
    for note in notes:
        key = (note.part, note.pitch, round(note.length * 1000))
        if key not in played:
            played[key] = _sound(note, recipe)
        start = int(note.start * RATE)
        sound = played[key][: len(out) - start]
        level, pan = note.loudness * _LEVEL[note.part], _PAN[note.part]
        out[start : start + len(sound), 0] += sound * np.float32(level * np.sqrt(1.0 - pan))
        out[start : start + len(sound), 1] += sound * np.float32(level * np.sqrt(pan))
    return out


def _sound(note: Note, recipe: Recipe) -> Samples:
    if note.part in ("kick", "snare", "hat"):
        return drum(note.part)
    name = {"bass": "bass", "chord": "pad"}.get(note.part, recipe.timbre)
    if note.part == "chord" and recipe.energy >= 0.35:
        name = "keys" if recipe.energy < 0.65 else "synth"
    return tone(note.pitch, note.length, TIMBRES[name], recipe.brightness)


def _reverb(mono: Samples, seconds: float) -> Samples:
    """Reverb (n, 2): the signal convolved with decaying, low-passed noise."""
    time = np.arange(int(seconds * RATE), dtype=np.float32) / RATE
    noise = np.random.default_rng(11).normal(size=(len(time), 2))
    softened = (noise[:-2] + 2.0 * noise[1:-1] + noise[2:]) / 4.0
    decay = np.exp(-6.0 * time[:-2] / seconds)[:, None]
    response = (softened * decay).astype(np.float32)
    response /= np.sqrt(np.sum(response**2, axis=0))
    size = 1 << int(np.ceil(np.log2(len(mono) + len(response))))
    spectrum = np.fft.rfft(mono, size)[:, None] * np.fft.rfft(response, size, axis=0)
    wet: Samples = np.fft.irfft(spectrum, size, axis=0)[: len(mono)].astype(np.float32)
    return wet


def _master(mixed: Samples, energy: float) -> Samples:
    """Soft-clip, fade in and out, and make tracks with more energy louder."""
    level = np.tanh(mixed / (np.percentile(np.abs(mixed), 99.5) * (1.9 - 0.7 * energy)))
    level *= _PEAK * (0.65 + 0.35 * energy) / np.abs(level).max()
    fade = np.linspace(0.0, 1.0, int(0.4 * RATE))[:, None] ** 2
    level[-len(fade) :] *= fade[::-1]
    level[: len(fade) // 40] *= fade[::40][: len(fade) // 40]
    finished: Samples = level.astype(np.float32)
    return finished
