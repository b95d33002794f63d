"""Parts of panoramas: people are as small in one as its shorter side says, not its longer one."""

import math
from collections.abc import Sequence

import numpy as np

PANORAMA = 2.2
"""Ratio of the sides above which a photo is searched in parts; a phone's screen has 2.17."""

LENGTH = 1.5
"""Length of a part relative to the shorter side. Each overlaps the next by a third at least."""

MAX_PARTS = 8
"""Parts of a panorama; where more would be needed, each is longer."""

Part = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


def parts(size: tuple[int, int]) -> list[Part]:
    """Return the parts in which a photo of this size is searched; none if it's no panorama."""
    short, long = sorted(size)
    if long <= PANORAMA * short:
        return []
    length = max(LENGTH * short, long / (1 + (MAX_PARTS - 1) * 2 / 3))
    count = math.ceil((long - length) / (length * 2 / 3) - 1e-9) + 1
    starts = np.linspace(0, long - length, count)
    spans = [(round(start), round(start + length)) for start in starts.tolist()]
    if size[0] == long:
        return [(start, 0, stop, short) for start, stop in spans]
    return [(0, start, short, stop) for start, stop in spans]


def is_whole(box: Sequence[float], part: Part, size: tuple[int, int]) -> bool:
    """Return whether a box (x, y, width, height, in fractions) isn't cut off by a part's edges.

    Where a part's edge is the photo's, there is no more of the face.
    """
    long = int(size[1] > size[0])
    start, stop = box[long] * size[long], (box[long] + box[long + 2]) * size[long]
    return (start > part[long] or part[long] == 0) and (
        stop < part[long + 2] or part[long + 2] == size[long]
    )
