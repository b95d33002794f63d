"""Photo emotion from faces, and views for test-time augmentation; the network is faked."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ml.emotion.photo import emotion_of, emotions_of_images, frame, read_faces
from ml.emotion.predict import SIZE, TTA_VIEWS, answer, logits, tta_views
from ml.faces.detection import Detection
from ml.labels import EMOTIONS, UNCERTAIN
from ml.types import Float32Array, Float64Array
from tests.ml.test_faces import drawing

EYES = ((0.2, 0.2), (0.3, 0.2))
MODES = ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I", "F"]


def textured(width: int = 400, height: int = 300) -> Image.Image:
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))


class Network:
    """Fake network: a crop's brightness is its share of `angry`; counts calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, faces: NDArray[np.uint8]) -> Float64Array:
        assert faces.shape[1:] == (48, 48)
        assert faces.dtype == np.uint8
        self.calls += 1
        rows = np.zeros((len(faces), 7))
        rows[:, 0] = faces.mean(axis=(1, 2)) / 255
        rows[:, 3] = 1 - rows[:, 0]
        return rows


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    fake = Network()
    monkeypatch.setattr("ml.emotion.predict.predict", fake)
    monkeypatch.setattr("ml.emotion.photo.likeness", lambda _image: 1.0)
    return fake


def test_every_face_is_kept_and_the_weights_sum_to_one(network: Network) -> None:
    found = [Detection((0.03 * k, 0.1, 0.02 + 0.01 * k, 0.1), EYES, 0.9) for k in range(30)]
    faces = read_faces(textured(), found)
    assert len(faces) == 30
    assert sum(face.weight for face in faces) == pytest.approx(1)
    assert min(face.weight for face in faces) > 0


def test_face_of_twice_the_width_and_score_counts_four_times(network: Network) -> None:
    plain = Image.new("L", (400, 300), 150)
    large = Detection((0.5, 0.5, 0.4, 0.4), EYES, 0.8)
    faces = read_faces(plain, [large, Detection((0.1, 0.1, 0.2, 0.2), EYES, 0.4)])
    assert [face.weight for face in faces] == pytest.approx([0.8, 0.2])


def test_blurred_face_counts_less_but_counts(network: Network) -> None:
    photo = textured()
    photo.paste(photo.filter(ImageFilter.GaussianBlur(4)).crop((200, 0, 400, 300)), (200, 0))
    boxes = ((0.1, 0.1, 0.2, 0.2), (0.7, 0.1, 0.2, 0.2))
    sharp, blurred = read_faces(photo, [Detection(box, EYES, 0.9) for box in boxes])
    assert 1.2 * blurred.weight < sharp.weight <= 4 * blurred.weight


def test_emotion_is_the_weighted_mean_or_none(network: Network) -> None:
    assert emotion_of(()) is None
    boxes = ((0.1, 0.1, 0.2, 0.2), (0.5, 0.5, 0.4, 0.4))
    faces = read_faces(textured(), [Detection(box, EYES, 0.9) for box in boxes])
    emotion = emotion_of(faces)
    assert emotion is not None
    assert tuple(emotion) == EMOTIONS
    assert sum(emotion.values()) == pytest.approx(1)
    assert emotion["angry"] == pytest.approx(
        sum(f.weight * f.probabilities["angry"] for f in faces)
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (48, 48), (90, 70)])
def test_image_of_any_mode_and_size_gets_an_answer(
    network: Network, mode: str, size: tuple[int, int]
) -> None:
    rows = emotions_of_images([Image.new("L", size, 200).convert(mode)])
    assert rows.shape == (1, 7)
    assert rows.sum() == pytest.approx(1)


def test_sixteen_bit_face_is_as_bright_as_it_was(network: Network) -> None:
    deep = Image.fromarray(np.full((48, 48), 51 * 257, np.uint16))
    deep.putpixel((0, 0), 65535)
    assert emotions_of_images([deep])[0, 0] == pytest.approx(0.2, abs=0.01)


def test_small_image_is_a_face_as_it_is(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.emotion.photo.detect", lambda _photo: pytest.fail("searched"))
    image = textured(48, 48)
    assert (frame(image) == np.asarray(image)).all()
    assert emotions_of_images([image]).shape == (1, 7)


def test_photo_without_a_face_is_searched_with_a_border_then_read_whole(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[tuple[int, int]] = []

    def detect(photo: Image.Image) -> tuple[Detection, ...]:
        searched.append(photo.size)
        return ()

    monkeypatch.setattr("ml.emotion.photo.detect", detect)
    emotions_of_images([drawing(200, 100)])
    assert searched == [(200, 100), (300, 200)]


def test_image_without_a_face_keeps_its_likeliest_emotion_but_never_names_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.emotion.photo.detect", lambda _photo: ())
    monkeypatch.setattr("ml.emotion.photo.likeness", lambda _image: 0.1)
    for size in ((40, 40), (200, 100)):
        row = emotions_of_images([Image.new("L", size, 255)])[0]
        assert row.sum() == pytest.approx(1)
        assert row.argmax() == 0
        assert answer(dict(zip(EMOTIONS, row.tolist(), strict=True))) == UNCERTAIN


def test_all_images_go_through_the_network_at_once_in_their_order(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = ((0.1, 0.1, 0.3, 0.3), (0.5, 0.5, 0.3, 0.3))
    found = tuple(Detection(box, EYES, 0.9) for box in boxes)
    monkeypatch.setattr("ml.emotion.photo.detect", lambda _photo: found)
    images = [Image.new("L", (48, 48), 51), Image.new("L", (200, 200), 204), Image.new("L", (9, 9))]
    rows = emotions_of_images(images)
    assert network.calls == 1
    assert rows[:, 0] == pytest.approx([0.2, 0.8, 0])


def test_no_images_give_no_rows() -> None:
    assert emotions_of_images([]).shape == (0, 7)


def ramps(n: int) -> NDArray[np.uint8]:
    """Return n faces that grow brighter to the right, each darker than the one before."""
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    return np.stack([ramp // (k + 1) for k in range(n)])


def test_views_are_the_middle_the_whole_mirrored_and_from_nearer() -> None:
    middle, whole, near = tta_views(ramps(1))[:, SIZE // 2, :, 0]
    assert (middle == np.arange(2, 46) * 5).all()
    assert whole[0] > middle[-1]
    assert whole[-1] < middle[0]
    assert near[0] > middle[0]
    assert near[-1] < middle[-1]
    assert (np.diff(near) >= 0).all()


def test_every_face_gets_the_mean_of_its_own_views() -> None:
    def brightness(views: Float32Array) -> Float32Array:
        return np.asarray(views.mean(axis=(1, 2)), dtype=np.float32)

    together = logits(brightness, ramps(4))
    assert together.shape == (4, 1)
    assert np.allclose(together, [logits(brightness, face[None])[0] for face in ramps(4)])
    assert np.allclose(together[0], tta_views(ramps(1)).reshape(len(TTA_VIEWS), -1).mean())
    assert (np.diff(together[:, 0]) < 0).all()
