"""Emotion networks at tiny dimensions: shapes, saving, learning, resuming."""

import io
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from keras import layers
from PIL import Image

from ml.calibration import softmax
from ml.emotion.predict import LABELLED, SIZE, VOTED
from ml.labels import EMOTIONS
from ml.training import head
from ml.training.action.model import directions, with_familiarity
from ml.training.emotion import pretrained
from ml.training.emotion.data import Batches, Faces, augment, read_training, targets
from ml.training.emotion.fused import FusedBatchNormalization
from ml.training.emotion.model import (
    ATTENTIVE,
    STAGES,
    VIEW,
    averaged,
    baseline_cnn,
    build,
    folded,
    plain,
)
from ml.training.emotion.publish import save_small, with_shifts
from ml.training.emotion.train import PLANS, Plan, teacher_probabilities, train, weights_of_run

TINY = ((4, 1), (8, 1))


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def fer(tmp_path: Path) -> Path:
    """Sixty faces in the layout of FER-2013, one of them a copy of a test image."""
    rng = np.random.default_rng(1)
    rows = 60
    table = {
        "image": [png(rng.integers(0, 255, (48, 48), dtype=np.uint8)) for _ in range(rows)],
        "label": [EMOTIONS[n % 7] for n in range(rows)],
        "split": ["train"] * 50 + ["public_test"] * 10,
        "duplicate_group": [*range(50), 0, *range(51, 60)],
        "votes_nf": [0] * 49 + [9] + [0] * 10,
    }
    names = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    table |= {f"votes_{name}": [1] * rows for name in names}
    file = tmp_path / "fer.parquet"
    pq.write_table(pa.table(table), file)
    return file


def test_network_gives_seven_logits_of_the_label_and_seven_of_the_voters() -> None:
    model = build(20, view=None, stages=TINY)
    assert model(np.zeros((3, 20, 20, 1), dtype=np.float32)).shape == (3, 14)


def test_attention_and_places_change_nothing_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = ((ATTENTIVE // 2, 1), (ATTENTIVE, 1))
    attentive = build(32, view=None, stages=wide)
    monkeypatch.setattr("ml.training.emotion.model.ATTENTIVE", 2 * ATTENTIVE)
    bare = build(32, view=None, stages=wide)
    names = {layer.name for layer in bare.layers if layer.weights}
    for layer in attentive.layers:
        if layer.name in names:
            bare.get_layer(layer.name).set_weights(layer.get_weights())
    faces = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 1)).astype(np.float32)
    assert len(attentive.weights) > len(bare.weights)
    assert np.allclose(attentive(faces), bare(faces), atol=1e-4)
    last = bare.get_layer("places")
    mean = keras.Model(bare.input, layers.GlobalAveragePooling2D()(last.input))(faces)
    assert np.allclose(keras.Model(bare.input, last.output)(faces)[:, 0, 0], mean, atol=1e-5)


def test_network_that_enlarges_sees_what_the_trained_one_saw() -> None:
    shipped, trained = build(20, view=40, stages=TINY), build(40, view=None, stages=TINY)
    trained.set_weights(shipped.get_weights())
    faces = np.random.default_rng(0).uniform(0, 255, (2, 20, 20, 1)).astype(np.float32)
    enlarged = keras.ops.image.resize(faces, (40, 40), interpolation="bilinear")
    assert np.allclose(shipped(faces), trained(enlarged), atol=1e-4)


# Kernel, bias; gain, shift, mean and variance of a normalisation, layer by layer.
SEED_LAYERS = [
    *(9 * 32 + 32, 9 * 32 * 64 + 64, 4 * 64),
    *(25 * 64 * 128 + 128, 4 * 128),
    *(9 * 128 * 512 + 512, 4 * 512, 9 * 512 * 512 + 512, 4 * 512),
    *(4608 * 256 + 256, 4 * 256, 256 * 512 + 512, 4 * 512, 512 * 7 + 7),
]


def test_baseline_cnn_has_the_parameters_that_its_report_lists() -> None:
    model = baseline_cnn()
    assert [n for layer in model.layers if (n := layer.count_params())] == SEED_LAYERS
    assert model.count_params() == sum(SEED_LAYERS) == 4_496_903


def test_pretrained_weights_compute_the_same_function_at_the_start() -> None:
    rng = np.random.default_rng(4)
    model = build(VIEW, view=None)
    weights = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and pretrained.is_known(layer.name):
            name, shape = pretrained.name_of(layer.name), layer.kernel.shape
            if layer.name == "stem":
                shape = (7, 7, 3, shape[-1])
            weights[f"{name}/conv/filters"] = rng.normal(0, 0.03, shape).astype(np.float32)
            for part in ("weights", "biases"):
                weights[f"{name}/scale/{part}"] = rng.uniform(1, 2, shape[-1]).astype(np.float32)
    faces = rng.uniform(0, 255, (4, VIEW, VIEW, 1)).astype(np.float32)
    pretrained.load_weights(model, weights, faces)
    for name in ("stem", "stage1_0_1", f"stage{len(STAGES) - 1}_1_2"):
        layers = [model.get_layer(name).output, model.get_layer(f"{name}_norm").output]
        bare, scaled = (np.asarray(o) for o in keras.Model(model.input, layers)(faces))
        known = pretrained.name_of(name)
        gain, shift = (weights[f"{known}/scale/{part}"] for part in ("weights", "biases"))
        assert np.allclose(scaled, gain * bare + shift, atol=1e-2)


def test_other_file_than_the_known_recogniser_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{pretrained.NAME}.bin").write_bytes(b"something else")
    with pytest.raises(ValueError, match="face-api"):
        pretrained.read(tmp_path)


def test_network_survives_saving(tmp_path: Path) -> None:
    model = build(16, view=24, stages=TINY)
    faces = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 1)).astype(np.float32)
    model.save(tmp_path / "tiny.keras")
    again = keras.models.load_model(tmp_path / "tiny.keras")
    assert np.allclose(model(faces), again(faces), atol=1e-6)


def test_averaged_network_has_the_mean_weights() -> None:
    one, other = plain(20, widths=(4, 8)), plain(20, widths=(4, 8))
    middle = [(a + b) / 2 for a, b in zip(one.get_weights(), other.get_weights(), strict=True)]
    got = averaged([one, other]).get_weights()
    assert all(np.allclose(a, b) for a, b in zip(got, middle, strict=True))


def test_networks_of_different_kinds_have_no_average() -> None:
    with pytest.raises(ValueError, match="runs of one network"):
        averaged([build(20, view=40, stages=TINY), plain(20, widths=(4, 8))])


@pytest.mark.parametrize("network", ["residual", "plain"])
def test_folded_network_computes_the_same_without_normalizations(network: str) -> None:
    def make(**options: object) -> keras.Model:
        if network == "plain":
            return plain(20, widths=(4, 8), **options)  # type: ignore[arg-type]
        return build(20, view=40, stages=TINY, **options)  # type: ignore[arg-type]

    trained, rng = make(), np.random.default_rng(0)
    trained.set_weights([rng.uniform(0.2, 1.0, w.shape) for w in trained.get_weights()])
    faces = rng.uniform(0, 255, (2, 20, 20, 1)).astype(np.float32)
    bare = folded(trained, make(normalization=None))
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in bare.layers)
    assert np.allclose(bare(faces), trained(faces), rtol=1e-4)


def test_small_file_answers_nearly_alike_in_two_thirds_of_the_space(tmp_path: Path) -> None:
    model = build(20, view=None, stages=((32, 1), (64, 1)))
    model.save(tmp_path / "large.keras")
    faces = np.random.default_rng(0).uniform(0, 255, (2, 20, 20, 1)).astype(np.float32)
    before = np.asarray(model(faces))
    save_small(model, tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras", compile=False)
    sizes = [(tmp_path / f"{name}.keras").stat().st_size for name in ("small", "large")]
    assert sizes[0] < 0.7 * sizes[1]
    assert np.allclose(again(faces), before, atol=0.02)
    assert not np.allclose(again(faces), 0)


def test_both_layouts_share_their_weights() -> None:
    last = build(20, view=None, stages=TINY)
    first = build(
        20,
        view=None,
        stages=TINY,
        data_format="channels_first",
        normalization=FusedBatchNormalization,
    )
    assert [w.shape for w in last.weights] == [w.shape for w in first.weights]


def test_read_training_leaves_out_copies_of_test_images(fer: Path) -> None:
    training, validation = read_training(fer, seed=7, share=0.2)
    assert len(validation) == 9
    assert 39 <= len(training) <= 40  # 50, less the copy, the nine, and the row without a face
    both = {image.tobytes() for image in (*training.images, *validation.images)}
    assert len(both) == len(training) + len(validation)


def test_augmented_view_keeps_the_middle_of_the_face() -> None:
    face = np.zeros((48, 48), dtype=np.uint8)
    face[20:28, 20:28] = 255
    views = [augment(face, SIZE, 32, np.random.default_rng(n)) for n in range(40)]
    assert all(view.shape == (32, 32) and view.min() >= 0 and view.max() <= 255 for view in views)
    brighter = [view[13:19, 13:19].mean() > view[:4, :4].mean() for view in views]
    assert sum(brighter) > 30  # the others are covered just there
    assert len({view.tobytes() for view in views}) == 40


@pytest.mark.parametrize(("size", "grains"), [(SIZE, SIZE), (2 * SIZE, SIZE), (16, 16)])
def test_noise_in_a_view_is_as_fine_as_the_pixels_of_the_face(size: int, grains: int) -> None:
    face = np.full((48, 48), 128, dtype=np.uint8)
    views = [augment(face, SIZE, size, np.random.default_rng(n)) for n in range(40)]
    finest = max(len(np.unique(view[size // 2])) for view in views)
    assert 0.7 * grains < finest <= grains + 6  # the frame's end shows at either side of a view


def test_mixed_faces_have_mixed_targets() -> None:
    rng = np.random.default_rng(3)
    faces = rng.integers(0, 255, (8, 48, 48), dtype=np.uint8)
    goal = np.eye(8, 14, dtype=np.float32)
    alone, mixed = (
        Batches(
            faces, goal, epoch=0, seed=1, frame=SIZE, size=SIZE, batch=8,
            data_format="channels_last", mixed=alpha,
        )[0]
        for alpha in (0.0, 5.0)
    )  # fmt: skip
    part = mixed[1].max(axis=1, keepdims=True)  # of the face that shows more
    assert (part < 0.99).all()
    assert np.allclose(mixed[1].sum(axis=1), 1)
    share = mixed[1][np.arange(8), alone[1].argmax(axis=1)][:, None, None, None]
    assert np.allclose(mixed[0], share * alone[0] + (1 - share) * alone[0][::-1], atol=1e-3)


def test_teachers_have_half_a_say(fer: Path, tmp_path: Path) -> None:
    training, _ = read_training(fer, seed=7, share=0.2)
    assert teacher_probabilities([], training.images) is None
    tiny_build().save(tmp_path / "best.keras")
    result = teacher_probabilities([tmp_path], training.images)
    assert result is not None
    assert np.allclose(result.sum(axis=1), 1, atol=1e-5)
    alone, learned = targets(training), targets(training, result)
    assert np.allclose(learned[:, LABELLED], (alone[:, LABELLED] + result) / 2)
    assert np.array_equal(learned[:, VOTED], training.votes)


def test_run_goes_on_from_a_network_that_knew_the_label_alone(tmp_path: Path) -> None:
    model = tiny_build(view=24)
    before = keras.Model(model.input, layers.Dense(7, name="logits")(model.layers[-2].output))
    before.save(tmp_path / "best.keras")
    faces = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 1)).astype(np.float32)
    fresh = tiny_build(view=24)
    nobody = Faces(
        np.zeros((0, 48, 48), np.uint8), np.zeros(0, np.int64), np.zeros((0, 7), np.float32)
    )
    weights_of_run(tmp_path)(fresh, nobody)
    result = np.asarray(fresh(faces))
    assert np.allclose(result[:, LABELLED], before(faces), atol=1e-5)
    assert np.array_equal(result[:, LABELLED], result[:, VOTED])


def test_stopped_training_goes_on_where_it_left(
    fer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.training.emotion.train.build", tiny_build)
    plan = Plan(epochs=2, view=24, batch=16)
    train(fer, tmp_path / "run", replace(plan, epochs=1))
    train(fer, tmp_path / "run", plan)
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history] == [1, 2]
    assert (tmp_path / "run" / "best.keras").exists()


def test_baseline_cnn_trains_by_the_same_command(fer: Path, tmp_path: Path) -> None:
    best = train(fer, tmp_path / "run", replace(PLANS["baseline_cnn"], epochs=1, batch=16))
    assert keras.models.load_model(best, compile=False).input.shape == (None, 48, 48, 1)


def tiny_build(*args: object, **options: object) -> keras.Model:
    return build(*args, stages=TINY, **options)  # type: ignore[arg-type]


def test_head_learns_what_can_be_separated() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 300)
    features = (np.eye(3)[labels] * 3 + rng.normal(0, 0.5, (300, 3))).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[labels]
    config = head.HeadConfig(epochs=15, rate=2e-2, dropout=0.0)
    model, losses = head.fit(features, targets, config, name="toy")
    assert losses[-1] < losses[0] / 2
    assert (head.logits_of(model, features).argmax(axis=1) == labels).mean() > 0.95


def test_head_trained_twice_is_the_same() -> None:
    features = np.random.default_rng(2).normal(size=(40, 4)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    config = head.HeadConfig(epochs=2, hidden=4)
    runs = [head.fit(features, targets, config, name="toy")[0] for _ in range(2)]
    one, other = (head.logits_of(model, features) for model in runs)
    assert np.array_equal(one, other)


def test_photo_like_a_class_is_more_familiar_than_one_like_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 40)
    centres = np.eye(6, dtype=np.float32)[:2] * 4
    features = (centres[labels] + rng.normal(0, 0.3, (80, 6))).astype(np.float32)
    bare, _ = head.fit(
        features, np.eye(2, dtype=np.float32)[labels], head.HeadConfig(), name="tiny"
    )
    with_familiarity(bare, directions(bare, features, labels)).save(tmp_path / "tiny.keras")
    model = keras.models.load_model(tmp_path / "tiny.keras")
    strange = np.array([[2, 2, 9, -9, 9, -9]], dtype=np.float32)
    logits, familiarity = model(np.concatenate([centres, strange]))
    assert logits.shape == (3, 2)
    assert np.allclose(logits, bare(np.concatenate([centres, strange])), atol=1e-4)
    near, also_near, far = np.asarray(familiarity)[:, 0]
    assert min(near, also_near) > 0.8 > 0.3 > far


def test_favoured_emotion_is_likelier_and_the_others_keep_their_odds() -> None:
    logits = np.log([[0.1, 0.1, 0.3, 0.5, 0.0001, 0.0001, 0.0001]])
    plain_bias = (1.0, [0.0] * 7)
    before = softmax(logits, *plain_bias)[0]
    after = softmax(logits, *with_shifts({"fear": np.log(2)}, *plain_bias))[0]
    fear, others = EMOTIONS.index("fear"), [k for k, name in enumerate(EMOTIONS) if name != "fear"]
    assert np.isclose(after[fear] / after[3], 2 * before[fear] / before[3], rtol=1e-3)
    assert np.allclose(after[others] / after[3], before[others] / before[3])
