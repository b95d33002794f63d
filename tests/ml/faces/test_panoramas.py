"""Faces of panoramas are searched at a scale that fits their height, in bounded time."""

import itertools

import numpy as np
import pytest
from PIL import Image

from ml.faces.detection import Detection, detect
from ml.faces.panorama import MAX_PARTS, PANORAMA, is_whole, parts
from ml.images import PANORAMA as KEPT
from ml.images import PHOTO_SIDE, photo_size
from tests.ml.test_faces import drawing


@pytest.mark.parametrize("size", [(6554, 1024), (1024, 6554), (2300, 1000), (8192, 1), (1, 8192)])
def test_parts_cover_a_panorama_and_overlap(size: tuple[int, int]) -> None:
    long = int(size[1] > size[0])
    spans = [(part[long], part[long + 2]) for part in parts(size)]
    assert 2 <= len(spans) <= MAX_PARTS
    assert (spans[0][0], spans[-1][1]) == (0, max(size))
    for (start, stop), (following, _) in itertools.pairwise(spans):
        assert stop - following >= (stop - start) / 3 - 2
    assert all((part[1 - long], part[3 - long]) == (0, min(size)) for part in parts(size))


@pytest.mark.parametrize("size", [(640, 480), (1080, 2340), (5, 5)])
def test_other_photos_have_no_parts(size: tuple[int, int]) -> None:
    assert max(size) <= PANORAMA * min(size)
    assert parts(size) == []


def test_a_face_that_a_part_cuts_off_does_not_count() -> None:
    size, part = (3000, 1000), (500, 0, 2000, 1000)
    assert is_whole((0.3, 0.2, 0.1, 0.3), part, size)
    assert not is_whole((0.1666, 0.2, 0.1, 0.3), part, size)
    assert not is_whole((0.6, 0.2, 0.1, 0.3), part, size)
    assert is_whole((-0.01, 0.2, 0.1, 0.3), (0, 0, 1500, 1000), size)
    assert is_whole((0.95, 0.2, 0.1, 0.3), (1500, 0, 3000, 1000), size)


@pytest.mark.parametrize("upright", [True, False])
def test_a_face_of_a_part_lies_where_it_is_in_the_panorama(
    monkeypatch: pytest.MonkeyPatch, upright: bool
) -> None:
    size = (400, 2000) if upright else (2000, 400)
    photo = Image.new("RGB", size, (90, 90, 90))
    x, y = (100, 1200) if upright else (1200, 100)
    photo.paste("white", (x, y, x + 40, y + 50))

    def find(view: Image.Image) -> list[Detection]:
        """The white face, where it's large enough to be seen."""
        rows, columns = np.nonzero(np.asarray(view.convert("L")) > 200)
        if len(rows) == 0 or np.ptp(columns) < 15:
            return []
        left, top = float(columns.min()) / view.width, float(rows.min()) / view.height
        wide, high = np.ptp(columns) / view.width, np.ptp(rows) / view.height
        eyes = ((left, top), (left + float(wide), top))
        return [Detection((left, top, float(wide), float(high)), eyes, 0.9)]

    monkeypatch.setattr("ml.faces.detection._find_upright", find)
    (face,) = detect(photo)
    found = np.array(face.box) * (*size, *size)
    assert found == pytest.approx((x, y, 40, 50), abs=4)
    assert np.array(face.landmarks) * size == pytest.approx(np.array([(x, y), (x + 40, y)]), abs=4)


def test_a_panorama_takes_a_bounded_number_of_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []

    def find(view: Image.Image) -> list[Detection]:
        sizes.append(view.size)
        return []

    monkeypatch.setattr("ml.faces.detection._find_upright", find)
    assert detect(drawing(8192, 400)) == ()
    assert len(sizes) <= 2 * MAX_PARTS + 7
    assert max(max(size) for size in sizes) <= 1280


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((4000, 3000), (2048, 1536)),
        ((16000, 2500), (6554, 1024)),
        ((2500, 16000), (1024, 6554)),
        ((60000, 1000), (8192, 137)),
        ((800, 100), (800, 100)),
        ((9000, 1), (8192, 1)),
    ],
)
def test_photos_are_kept_by_their_longer_and_panoramas_by_their_shorter_side(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert photo_size(size) == kept
    assert max(kept) <= PHOTO_SIDE or (max(kept) <= KEPT[1] and min(kept) <= KEPT[0])
