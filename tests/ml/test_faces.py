"""Face detection: no faces in drawings or noise; crops are upright and well framed."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ml.evaluation.faces import matches
from ml.faces import detection
from ml.faces.detection import (
    DARK,
    LIKELY,
    TURNS,
    UNLIKELY_PLACES,
    WEAK,
    Detection,
    _Place,
    crop,
    detect,
    likeness,
    overlap,
)
from ml.faces.framing import tilt
from ml.images import eight_bit


def drawing(width: int = 800, height: int = 600) -> Image.Image:
    picture = Image.new("RGB", (width, height), (120, 170, 220))
    ImageDraw.Draw(picture).rectangle((0, height // 2, width, height), fill=(60, 120, 50))
    return picture


@pytest.mark.parametrize("size", [(800, 600), (3000, 1500), (33, 900), (5, 5), (1, 1)])
def test_landscape_has_no_face(size: tuple[int, int]) -> None:
    assert detect(drawing(*size)) == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "P", "CMYK", "I", "F"])
def test_any_colour_mode_is_read(mode: str) -> None:
    assert detect(drawing().convert(mode)) == ()


def marked(angle: float) -> tuple[Image.Image, Detection]:
    """A photo with a white dot at each eye of a face turned by `angle` degrees."""
    photo = Image.new("L", (400, 300), 40)
    turn = np.deg2rad(angle)
    right, left = np.array((-20, -16)), np.array((20, -16))
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    eyes = [rotation @ eye + (200, 150) for eye in (right, left)]
    for x, y in eyes:
        ImageDraw.Draw(photo).ellipse((x - 4, y - 4, x + 4, y + 4), fill=255)
    points = tuple((float(x / 400), float(y / 300)) for x, y in eyes)
    return photo, Detection((150 / 400, 100 / 300, 100 / 400, 100 / 300), points, 0.9)


@pytest.mark.parametrize("angle", [0, 25, -40, 90, 180, -135])
def test_turned_face_is_cropped_upright(angle: float) -> None:
    photo, face = marked(angle)
    view = crop(photo, face, 48).astype(float)
    scale = 44 / 100
    for x in (-20, 20):
        row, column = round(24 - 16 * scale), round(24 + x * scale)
        assert view[row, column] > 200
    assert view[38, 24] < 60


def test_face_over_the_edge_is_cropped_all_the_same() -> None:
    face = Detection((-0.1, -0.1, 0.3, 0.4), ((0.0, 0.05), (0.1, 0.05)), 0.9)
    assert crop(drawing(), face, 48).shape == (48, 48)


def test_photo_goes_on_beyond_its_edge_as_its_edge_does() -> None:
    photo = Image.new("L", (100, 100), 200)
    face = Detection((-0.3, -0.3, 0.6, 0.6), ((-0.1, 0.0), (0.1, 0.0)), 0.9)
    assert (crop(photo, face, 48) == 200).all()
    outside = Detection((3.0, 3.0, 0.6, 0.6), ((3.1, 3.2), (3.3, 3.2)), 0.9)
    assert (crop(photo, outside, 48) == 200).all()


def test_dark_face_is_read_at_ordinary_brightness() -> None:
    photo, face = marked(0)
    dim = crop(photo.point(lambda value: value // 10), face, 48)
    assert dim.max() > 200
    assert crop(photo, face, 48).max() > 200


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    deep = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    plain = np.asarray(eight_bit(Image.fromarray(deep)))
    assert plain.ravel().tolist() == list(range(256))


def test_of_hundreds_of_unlikely_faces_only_the_likeliest_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = [*np.linspace(WEAK, LIKELY - 0.01, 200), LIKELY, 0.9]
    places = [_Place(np.zeros(2), np.ones(2), float(score)) for score in scores]
    looked_at: list[float] = []
    monkeypatch.setattr(detection, "_search", lambda _photo: places)
    monkeypatch.setattr(
        detection, "_confirmed", lambda _photo, place: looked_at.append(place.score)
    )
    assert detection._find_upright(drawing()) == []
    assert looked_at == sorted(scores, reverse=True)[: 2 + UNLIKELY_PLACES]


def spot(photo: Image.Image) -> Detection:
    """A sure face, upright as the photo lies, where it is white."""
    rows, columns = np.nonzero(np.asarray(photo.convert("L")) > 200)
    x, y = columns.min() / photo.width, rows.min() / photo.height
    width, height = columns.max() / photo.width - x, rows.max() / photo.height - y
    eyes = ((x, y), (x + width, y))
    return Detection((x, y, width, height), eyes, 0.9)


@pytest.mark.parametrize(("degrees", "right_eye"), [(90, "ne"), (180, "se"), (270, "sw")])
def test_face_in_a_turned_photo_lies_where_it_is_and_upright_in_its_crop(
    monkeypatch: pytest.MonkeyPatch, degrees: int, right_eye: str
) -> None:
    photo = Image.new("RGB", (400, 300), (90, 90, 90))
    ImageDraw.Draw(photo).rectangle((40, 30, 99, 109), fill="white")
    views: list[Image.Image] = []

    def find(view: Image.Image) -> list[Detection]:
        views.append(view)  # the photo, the same from nearer, then its turns
        return [spot(view)] if len(views) == 3 + TURNS.index(degrees) else []

    monkeypatch.setattr("ml.faces.detection._find_upright", find)
    (face,) = detect(photo)
    assert len(views) == 3 + TURNS.index(degrees)  # sure of it, so no more turns
    assert face.box == pytest.approx((0.1, 0.1, 0.15, 0.267), abs=0.01)
    x, y = face.landmarks[0]
    assert ("s" if y > 0.2 else "n") + ("e" if x > 0.17 else "w") == right_eye


@pytest.mark.parametrize("degrees", [45, 315])
def test_face_in_a_photo_turned_by_an_eighth_is_as_large_and_tilted_as_it_is(
    monkeypatch: pytest.MonkeyPatch, degrees: int
) -> None:
    views: list[tuple[int, int]] = []

    def find(view: Image.Image) -> list[Detection]:
        views.append(view.size)
        if len(views) != 3 + TURNS.index(degrees):
            return []
        middle, high = np.array(view.size) / 2, np.array((0, 60 * 480 / 400))
        size = np.array((40, 50)) * 480 / 400  # photos are turned at 480 pixels
        x, y = (middle - high - size / 2) / view.size
        width, height = size / view.size
        eyes = ((x, y), (x + width, y))
        return [Detection((x, y, width, height), eyes, 0.9)]

    monkeypatch.setattr("ml.faces.detection._find_upright", find)
    (face,) = detect(drawing(400, 300))
    # What is straight up in a photo turned left by 45 degrees is up and to the right in it.
    turn = np.deg2rad(degrees)
    middle = np.array((200, 150)) + 60 * np.array((np.sin(turn), -np.cos(turn)))
    x, y, width, height = np.array(face.box) * (400, 300, 400, 300)
    assert (x + width / 2, y + height / 2) == pytest.approx(tuple(middle), abs=1)
    assert width * height == pytest.approx(40 * 50, rel=0.01)
    eyes = np.array(face.landmarks) * (400, 300)
    assert np.rad2deg(tilt(eyes)) % 360 == pytest.approx(degrees, abs=1)


def test_sure_face_is_enough_for_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = Detection((0.1, 0.1, 0.2, 0.2), ((0.1, 0.2), (0.2, 0.2)), 0.9)
    views = iter([[sure]])  # a second look would raise
    monkeypatch.setattr("ml.faces.detection._find_upright", lambda _view: next(views))
    assert detect(drawing()) == (sure,)


def test_dark_photo_without_a_face_is_brightened(monkeypatch: pytest.MonkeyPatch) -> None:
    views: list[float] = []

    def find(view: Image.Image) -> list[Detection]:
        views.append(float(np.asarray(view).mean()))
        return []

    monkeypatch.setattr("ml.faces.detection._find_upright", find)
    assert detect(drawing().point(lambda value: value // 12)) == ()
    assert views[0] < DARK / 2
    assert min(views[1:]) > DARK


@pytest.mark.parametrize(("score", "found"), [(0.65, 0), (0.72, 1)])
def test_face_that_is_seen_only_from_near_must_convince(
    monkeypatch: pytest.MonkeyPatch, score: float, found: int
) -> None:
    small = Detection((0.1, 0.1, 0.02, 0.02), ((0.1, 0.1), (0.11, 0.1)), score)
    monkeypatch.setattr(
        "ml.faces.detection._find_upright", lambda view: [small] if view.width == 1280 else []
    )
    assert len(detect(drawing())) == found


@pytest.mark.parametrize(
    ("side", "score", "found"),
    [(0.3, 0.76, 0), (0.3, 0.78, 1), (0.24, 0.7, 1), (0.9, 0.76, 0)],
)
def test_large_face_must_be_as_sure_as_a_person_s_so_near(
    monkeypatch: pytest.MonkeyPatch, side: float, score: float, found: int
) -> None:
    face = Detection((0.05, 0.05, side, side), ((0.1, 0.2), (0.2, 0.2)), score)
    monkeypatch.setattr(
        "ml.faces.detection._find_upright", lambda view: [face] if view.width == 640 else []
    )
    assert len(detect(drawing())) == found


def test_same_face_seen_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    eyes = ((0.1, 0.2), (0.2, 0.2))
    weak = Detection((0.1, 0.1, 0.2, 0.2), eyes, 0.7)
    better = Detection((0.11, 0.1, 0.2, 0.2), eyes, 0.76)
    seen = {640: [better], 1280: [weak]}
    monkeypatch.setattr("ml.faces.detection._find_upright", lambda view: seen.get(view.width, []))
    assert detect(drawing()) == (better,)


@pytest.mark.parametrize("side", [48, 400])
def test_drawn_face_is_no_face(side: int) -> None:
    picture = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 60, 340, 340), outline="black", width=6)
    for left in (140, 230):
        draw.ellipse((left, 150, left + 30, 190), fill="black")
    draw.arc((130, 180, 270, 290), 20, 160, fill="black", width=6)
    assert detect(picture.resize((side, side))) == ()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("size", [(1, 1), (5, 5), (48, 30)])
def test_plain_image_is_no_face(mode: str, size: tuple[int, int]) -> None:
    assert likeness(Image.new("L", size, 90).convert(mode)) < 0.3


def test_noise_and_stripes_have_no_face() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    stripes = np.tile(np.repeat(np.array([20, 230], np.uint8), 16), (240, 10))
    assert detect(Image.fromarray(noise)) == ()
    assert detect(Image.fromarray(stripes)) == ()


def test_overlap_of_equal_and_of_distant_boxes() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (5, 5, 2, 2)) == 0


def test_two_found_boxes_match_one_marked_face_once() -> None:
    assert matches([(0, 0, 10, 10), (1, 0, 10, 10)], [(0, 0, 10, 10)]) == 1
