"""Light and colour of a photo, and the mood of the whole of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from ml.action.backbone import TOKENS, WIDTH, Encoding, preprocess
from ml.mood import PHOTOS, Gaussian
from ml.scene.backbone import WIDTH as TINY_WIDTH
from ml.scene.backbone import encode
from ml.scene.colour import LIMIT, light_and_colour
from ml.scene.gaussian_process import Block, Process, total_kernel
from ml.scene.predict import features_of, mean_scene, moods_of, process, scene_of
from ml.types import Float32Array, Scene
from tests.ml.test_faces import drawing


def test_brighter_version_of_a_photo_has_more_light() -> None:
    dark, bright = (ImageEnhance.Brightness(drawing()).enhance(by) for by in (0.6, 1.2))
    assert light_and_colour(bright)[0] > light_and_colour(dark)[0]


def test_more_colourful_version_of_a_photo_has_more_colour() -> None:
    dull, vivid = (ImageEnhance.Color(drawing()).enhance(by) for by in (0.2, 1.5))
    assert light_and_colour(vivid)[1] > light_and_colour(dull)[1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (3000, 5), (800, 600)])
def test_photo_of_any_mode_and_size_has_light_and_colour(mode: str, size: tuple[int, int]) -> None:
    light, colour = light_and_colour(drawing(*size).convert(mode))
    assert abs(light) <= LIMIT
    assert abs(colour) <= LIMIT


def test_black_and_white_lie_at_the_ends() -> None:
    black, white = (
        light_and_colour(Image.new("RGB", (64, 48), shade)) for shade in ("black", "white")
    )
    assert (black[0], white[0]) == (-LIMIT, LIMIT)
    assert black[1] == white[1] < 0


def encoding(rng: np.random.Generator) -> Encoding:
    def values(*shape: int) -> Float32Array:
        return rng.normal(size=(1, *shape)).astype(np.float32)

    return Encoding(values(*TOKENS), values(WIDTH), values(WIDTH))


def test_features_are_those_of_both_backbones() -> None:
    seen = encoding(np.random.default_rng(7))
    view = preprocess(drawing())
    features = features_of([view], seen)
    widths = {name: block.shape for name, block in features.items()}
    tiny = dict.fromkeys(("tiny", "tiny_spread", "tiny_third"), (1, TINY_WIDTH))
    assert widths == {**dict.fromkeys([*widths][:6], (1, WIDTH // 2)), **tiny}
    assert set(features) == set(process().blocks)
    assert features["ten_class"] == pytest.approx(seen.tokens[:, 0])
    assert features["ten_patches"] == pytest.approx(seen.tokens[:, 1:].mean(axis=1), abs=1e-6)
    both = np.hstack([features["twelve_class"], features["twelve_patches"]])
    assert both == pytest.approx(seen.features)


def test_features_of_a_photo_do_not_depend_on_those_beside_it() -> None:
    views = [preprocess(drawing(90 + 40 * n, 80)) for n in range(3)]
    alone, together = encode(views[1:2]), encode(views)
    for name, block in alone.items():
        assert together[name][1] == pytest.approx(block[0], abs=1e-3)


def test_usual_photo_has_the_mood_of_the_middle_and_an_unusual_one_is_as_far_off() -> None:
    usual, unusual = moods_of(np.array([[0.0, 0.0], [1.0, -2.0]]), np.array([[1.0, 1.0]] * 2))
    assert usual == PHOTOS
    assert (unusual.mean - PHOTOS.mean) / np.sqrt(PHOTOS.covariance.diagonal()) == pytest.approx(
        [1.0, -2.0]
    )


def test_shipped_model_reads_any_photo_less_surely_than_it_knows_its_own() -> None:
    rng = np.random.default_rng(7)
    scene = scene_of(preprocess(drawing()), encoding(rng))
    strange = scene.mood.covariance.diagonal()
    known = {name: block.known[:1] * block.sd + block.mean for name, block in blocks().items()}
    _, variances = process().predict(known)
    assert (variances * PHOTOS.covariance.diagonal() < strange).all()
    assert ((scene.mood.mean > 0) & (scene.mood.mean < 1)).all()


def blocks() -> dict[str, Block]:
    return dict(process().blocks)


def two_photos() -> Process:
    """A process that knows two photos, one unit apart, with ratings of 1 and -1."""
    known = np.array([[0.0], [1.0]])
    block = Block(np.zeros(1), np.ones(1), known, distance=1.0, weight=1.0)
    kernel = np.exp(-np.array([[0.0, 1.0], [1.0, 0.0]]))
    inverse = np.linalg.inv(kernel + 0.5 * np.eye(2))
    ratings = np.array([[1.0, 1.0], [-1.0, 1.0]])
    return Process(
        {"only": block},
        np.zeros(2),
        np.array([1.0, 4.0]),
        np.array(0.5),
        inverse @ ratings,
        inverse,
    )


def test_known_photo_is_predicted_as_the_formula_says() -> None:
    """The covariances are 1.5 and e^-1; for the first photo the kernel is (1, e^-1)."""
    means, variances = two_photos().predict({"only": np.array([[0.0]])})
    e = np.exp(-1.0)
    weights = np.array([1.5 + e, -(1.5 + e)]) / (1.5**2 - e**2)
    assert means[0, 0] == pytest.approx(weights @ [1, e])
    explained = (1.5 - 2 * e * e + 1.5 * e * e) / (1.5**2 - e**2)
    assert variances[0] == pytest.approx((1.5 - explained) * np.array([1.0, 4.0]))


def test_photo_like_none_has_the_mean_and_the_whole_variance() -> None:
    means, variances = two_photos().predict({"only": np.array([[99.0]])})
    assert means[0] == pytest.approx([0.0, 0.0])
    assert variances[0] == pytest.approx([1.5, 6.0])


def test_features_are_standardised_before_they_are_compared() -> None:
    mean, sd, known = np.array([10.0]), np.array([2.0]), np.array([[1.0]])
    kernel = Block(mean, sd, known, distance=4.0, weight=0.5).kernel(np.array([[12.0], [10.0]]))
    assert kernel.ravel() == pytest.approx([0.5, 0.5 * np.exp(-1 / 4)])


def test_kernel_of_several_blocks_is_their_weighted_sum() -> None:
    block = two_photos().blocks["only"]
    far, near = np.array([[99.0]]), np.array([[0.0]])
    blocks = {"a": replace(block, weight=0.4), "b": replace(block, weight=0.6)}
    total = total_kernel(blocks, {"a": far, "b": near})
    assert total[0] == pytest.approx([0.6, 0.6 * np.exp(-1.0)])


def test_process_survives_its_file(tmp_path: Path) -> None:
    before = two_photos()
    before.save(tmp_path / "scene.npz")
    after = Process.load(tmp_path / "scene.npz")
    asked = {"only": np.array([[0.3], [2.0]])}
    for one, other in zip(before.predict(asked), after.predict(asked), strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_scene_of_a_video_is_no_surer_than_that_of_a_photo() -> None:
    mood = Gaussian(np.array([0.7, 0.4]), np.diag([0.03, 0.05]))
    scene = Scene(1.0, -1.0, mood)
    mean = mean_scene([scene, scene, scene])
    assert (mean.light, mean.colour) == (scene.light, scene.colour)
    assert mean.mood.mean == pytest.approx(mood.mean)
    assert mean.mood.covariance == pytest.approx(mood.covariance)


def test_scene_of_a_video_lies_between_its_frames() -> None:
    def at(valence: float) -> Scene:
        return Scene(valence, 0.0, Gaussian(np.array([valence, 0.5]), np.eye(2) * valence))

    mean = mean_scene([at(0.2), at(0.6)])
    assert (mean.light, mean.colour) == pytest.approx((0.4, 0))
    assert mean.mood.mean == pytest.approx([0.4, 0.5])
    assert mean.mood.covariance == pytest.approx(np.eye(2) * 0.4)
