"""Tell drawn faces from photographed ones by how their brightness changes.

A drawing has even areas and hard edges between them; on a photographed face light changes softly
everywhere. Paintings with soft shading pass for photographs.
"""

import numpy as np
from PIL import Image

EVEN = 0.14
"""Ratio of the 30th percentile of the changes to their mean, below which a face is drawn.

Of 160 faces in HAR's training part and in OASIS 1.3 % are below it, and as many if they are
overexposed by 1.6 or 2.2 times; of ten in clip arts set aside for the choice six.
"""

FAINT = 10.0
"""Mean change from pixel to pixel, of 255, below which nothing can be said: dark or blurred."""

SIDE = 48
"""Longer side in pixels to which a larger face is reduced, which evens out noise."""

MARGIN = 0.15
"""Share of the box by which the view is wider on each side."""

WHITE = 250
"""Brightness from which pixels don't count: an overexposed face is as even as paper."""


def is_drawn(photo: Image.Image, box: tuple[float, float, float, float]) -> bool:
    """Return whether the face in a box (x, y, width, height, in fractions of it) is drawn."""
    view = _view(photo, box)
    changes = _changes(view)
    if len(changes) < view.width * view.height / 4 or changes.mean() < FAINT:
        return False
    return bool(np.percentile(changes, 30) < EVEN * changes.mean())


def _view(photo: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    x, y, width, height = box
    corner, end = (x - MARGIN * width, y - MARGIN * height), 1 + MARGIN
    edges = (*corner, x + end * width, y + end * height)
    left, top, right, bottom = np.clip(edges, 0, 1) * (*photo.size, *photo.size)
    view = photo.crop((int(left), int(top), int(right) + 1, int(bottom) + 1)).convert("RGB")
    scale = min(1.0, SIDE / max(view.size))
    size = (max(2, round(view.width * scale)), max(2, round(view.height * scale)))
    return view.resize(size, Image.Resampling.BOX)


def _changes(view: Image.Image) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the largest change to the pixel on the right or below, where not all are white."""
    pixels = np.asarray(view, dtype=np.float64)
    across = np.abs(np.diff(pixels, axis=1)).max(axis=-1)[:-1]
    down = np.abs(np.diff(pixels, axis=0)).max(axis=-1)[:, :-1]
    white = pixels.min(axis=-1) >= WHITE
    counted = ~(white[:-1, :-1] & white[1:, :-1] & white[:-1, 1:])
    return np.asarray(np.maximum(across, down)[counted])
