"""Map HDR and wide-gamut colours to those of BT.709, as a lookup table."""

import io

import numpy as np

from ml.types import Float64Array

PQ, HLG = 16, 18
"""Transfer characteristics as ISO/IEC 23091-2 numbers them."""

BT2020, DCI_P3, DISPLAY_P3 = 9, 11, 12
"""Colour primaries as ISO/IEC 23091-2 numbers them."""

SIZE = 33
"""Points of the table along each axis."""

WHITE = 203.0
"""Nits of a white sheet of paper in HDR, which is 1.0 in SDR (ITU-R BT.2408)."""

PEAK = 1000.0
"""Nits of the brightest highlights that keep any detail; phones and HLG end there."""

KNEE = 0.5
"""Linear light below which nothing is changed; highlights share what is above."""

# Linear RGB to linear RGB of BT.709, all with the white of D65 (ITU-R BT.2407; SMPTE EG 432-1).
_TO_BT709 = {
    BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    DISPLAY_P3: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
_TO_BT709[DCI_P3] = _TO_BT709[DISPLAY_P3]
_BT2020_LUMA = np.array((0.2627, 0.6780, 0.0593))


def needs_table(transfer: int, primaries: int) -> bool:
    """Return whether colours that are coded so differ from those of BT.709."""
    return transfer in (PQ, HLG) or primaries in _TO_BT709


def lookup_table(transfer: int, primaries: int) -> str:
    """Return the table in the .cube format, red changing fastest."""
    out = io.StringIO()
    header = f"LUT_3D_SIZE {SIZE}"
    np.savetxt(out, table(transfer, primaries), "%.5f", header=header, comments="")
    return out.getvalue()


def table(transfer: int, primaries: int) -> Float64Array:
    """Return the converted RGB (SIZE ** 3, 3) of a grid over all colours, red changing fastest."""
    axis = np.linspace(0, 1, SIZE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    coded = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    return converted(coded, transfer, primaries)


def converted(coded: Float64Array, transfer: int, primaries: int) -> Float64Array:
    """Return RGB (n, 3) in [0, 1] as BT.709 would code the same colours."""
    light = _linear(coded, transfer)
    if primaries in _TO_BT709:
        light = light @ np.array(_TO_BT709[primaries]).T
    light = np.maximum(light, 0.0)
    if transfer in (PQ, HLG):
        light = _tone_mapped(light)
    return _srgb(np.minimum(light, 1.0))


def _linear(coded: Float64Array, transfer: int) -> Float64Array:
    """Return light relative to a white sheet of paper."""
    if transfer == PQ:  # SMPTE ST 2084
        root = coded ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return np.asarray(10_000 / WHITE * ratio ** (1 / 0.1593017578125))
    if transfer == HLG:  # ARIB STD-B67 with the system gamma of a screen of 1,000 nits
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
        luma = np.maximum(scene @ _BT2020_LUMA, 1e-9)[:, None]
        return np.asarray(PEAK / WHITE * luma**0.2 * scene)
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _tone_mapped(light: Float64Array) -> Float64Array:
    """Compress luminance above KNEE into the range of SDR, without changing the hue.

    Above it, the extended curve of Reinhard et al. (2002), which reaches 1 at the peak.
    """
    brightest = np.maximum(light.max(axis=1, keepdims=True), 1e-9)
    above = np.maximum(brightest - KNEE, 0) / (1 - KNEE)
    peak = (PEAK / WHITE - KNEE) / (1 - KNEE)
    curve = KNEE + (1 - KNEE) * above * (1 + above / peak**2) / (1 + above)
    return np.asarray(light * np.where(brightest > KNEE, np.minimum(curve, 1.0) / brightest, 1.0))


def _srgb(light: Float64Array) -> Float64Array:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
