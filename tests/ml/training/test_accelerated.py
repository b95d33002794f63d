"""Packing, and training on a GPU: the same code at tiny dimensions on whatever backend is here."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from ml.labels import ACTIONS
from ml.training import pack
from ml.training.accelerated import action, emotion, loop, verify
from ml.training.accelerated.augmentation import Augmentation, compressed
from ml.training.action.blocks import build
from ml.training.emotion import train as emotion_train
from ml.training.emotion.model import plain
from ml.training.emotion.publish import _network, save_small

ROWS = 20
TINY = action.Size(side=28, patch=14, width=8, heads=2)
RNG = np.random.default_rng(5)


def encoded(*shape: int) -> list[bytes]:
    images = []
    for _ in range(ROWS):
        stream = io.BytesIO()
        Image.fromarray(RNG.integers(0, 255, shape, dtype=np.uint8)).save(stream, "PNG")
        images.append(stream.getvalue())
    return images


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    columns = {
        "labels": np.arange(ROWS, dtype=np.uint8) % 7,
        "validation": np.arange(ROWS) % 4 == 0,
    }
    votes = {"votes": RNG.dirichlet(np.ones(7), ROWS).astype(np.float16)}
    for name, images, more in (
        ("emotion", encoded(48, 48), votes),
        ("action", encoded(TINY.side, TINY.side, 3), {}),
    ):
        pack.write(tmp_path, name, pack.encoded_parts(images, columns | more, 0.02), 0.02)
    pack.write(tmp_path, "backbone", [backbone_weights()])
    return tmp_path


def backbone_weights() -> dict[str, np.ndarray]:
    width, found = TINY.width, {}
    shapes = {"qkv": (width, 3 * width), "proj": (width, width), "fc1": (width, 4 * width)}
    for n in range(12):
        for name, (rows, columns) in (shapes | {"fc2": (4 * width, width)}).items():
            found[f"{n}.{name}.weight"] = RNG.normal(0, 0.2, (rows, columns))
            found[f"{n}.{name}.bias"] = np.zeros(columns)
        for k in (1, 2):
            found |= {f"{n}.scale{k}": np.ones(width), f"{n}.norm{k}.weight": np.ones(width)}
            found[f"{n}.norm{k}.bias"] = np.zeros(width)
    found |= {"norm.weight": np.ones(width), "norm.bias": np.zeros(width)}
    found |= {
        "patches.weight": RNG.normal(0, 1, (width, 3, 14, 14)),
        "patches.bias": np.zeros(width),
    }
    found |= {"class": np.zeros((1, 1, width)), "positions": RNG.normal(0, 1, (1, 5, width))}
    return {key: value.astype(np.float16) for key, value in found.items()}


def phase(name: str, epochs: int = 2) -> loop.Phase:
    return loop.Phase(name, epochs, 0.05, batch=4, share=0.7)


TEACHER = emotion.Member(phase("one"), partial(plain, widths=(2, 4)))


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> emotion.Member:
    monkeypatch.setitem(emotion_train.WIDTHS, "wide", (2, 4))
    return emotion.Member(phase("student"), emotion_train.PLANS["wide"].shipped)


@pytest.fixture(autouse=True)
def default_precision() -> Iterator[None]:
    yield
    keras.mixed_precision.set_global_policy("float32")


def test_packed_images_come_back_bit_by_bit_from_parts_below_the_limit(tmp_path: Path) -> None:
    images, labels = encoded(48, 48), np.arange(ROWS, dtype=np.uint8)
    parts = pack.encoded_parts(images, {"labels": labels}, 0.02)
    files = pack.write(tmp_path, "faces", parts, 0.02)
    packed = pack.read(tmp_path, "faces")
    assert len(files) > 1
    assert all(file.stat().st_size <= 0.02 * 2**20 for file in files)
    assert packed["labels"].tolist() == labels.tolist()
    for image, original in zip(pack.images_of(packed), images, strict=True):
        assert np.array_equal(image, np.asarray(Image.open(io.BytesIO(original))))


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_damaged_pack_is_refused(damage: str, packs: Path) -> None:
    file = next(packs.glob("emotion-1-of-*.npz"))
    if damage == "missing":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    with pytest.raises(ValueError, match="missing or damaged"):
        pack.read(packs, "emotion")


def test_part_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Raise --limit"):
        pack.write(tmp_path, "large", [{"zeros": np.zeros(3000)}], 0.02)


def test_augmented_images_keep_shape_and_range_and_depend_on_the_seed_alone() -> None:
    images = RNG.uniform(0, 255, (6, 48, 48, 1)).astype(np.float32)
    goals, how = np.eye(6, dtype=np.float32), Augmentation(compressed=0.5, cut=0.5)

    def views(seed: int) -> list[np.ndarray]:
        some = how(images, goals, keras.random.SeedGenerator(seed))
        return [keras.ops.convert_to_numpy(each) for each in some]

    seen, mixed = views(1)
    assert seen.shape == images.shape
    assert 0 <= seen.min() <= seen.max() <= 255
    assert np.allclose(mixed.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(seen, views(1)[0])
    assert not np.array_equal(seen, views(2)[0])


def test_compression_takes_the_finest_detail_and_keeps_the_mean() -> None:
    checks = 128 + 5 * (np.indices((16, 16)).sum(axis=0) % 2 * 2 - 1)
    smooth = np.tile(np.linspace(50, 200, 16), (16, 1))
    images = np.stack([checks, smooth])[..., None].astype(np.float32)
    after = keras.ops.convert_to_numpy(compressed(images, keras.random.SeedGenerator(1)))
    assert after[0].std() < images[0].std()
    assert np.allclose(after.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=8)
    assert np.abs(after[1] - images[1]).max() < 25


def test_emotion_networks_are_trained_and_the_student_fits_what_is_served(
    packs: Path, tmp_path: Path, student: emotion.Member
) -> None:
    out = tmp_path / "run"
    assert not emotion.train(packs, out, out, 0, teachers=[TEACHER], student=student)
    assert emotion.train(packs, out, out, 5, teachers=[TEACHER], student=student)
    done = json.loads((out / "phases.json").read_text())
    assert [len(done[name]["epochs"]) for name in ("one", "student")] == [2, 2]
    assert not list(out.glob("*.last.npz"))
    network = student.build()
    verify.check(network, out / "student.npz")
    network.save(out / "best.keras")
    served = _network([out])
    save_small(served, out / "emotion.keras")
    assert (out / "emotion.keras").stat().st_size < 16 * 2**20
    faces = RNG.uniform(0, 255, (2, 44, 44, 1)).astype(np.float32)
    assert np.allclose(served(faces), network(faces), atol=0.05)


def test_killed_training_goes_on_from_its_checkpoint(
    packs: Path, tmp_path: Path, student: emotion.Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    out, real = tmp_path / "run", emotion.measured
    seen: list[int] = []

    def killed(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        seen.append(len(seen))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(logits, labels)

    monkeypatch.setattr(emotion, "measured", killed)
    with pytest.raises(KeyboardInterrupt):
        emotion.train(packs, out, out, 5, teachers=[TEACHER], student=student)
    assert json.loads((out / "phases.json").read_text())["one"]["epochs"][0]["epoch"] == 1
    assert emotion.train(packs, out, out, 5, teachers=[TEACHER], student=student)
    epochs = json.loads((out / "phases.json").read_text())["one"]["epochs"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]


def test_phase_ends_in_time_and_its_rate_reaches_the_end() -> None:
    plan = phase("long", epochs=200)
    assert loop._possible(plan, 3, [60.0, 1.0, 1.0], 10.0, time.monotonic()) == 12
    rates = [plan.rate_at(epoch, 12) for epoch in range(12)]
    assert rates[-1] < 0.02 * plan.rate < rates[6]
    assert loop._possible(plan, 3, [60.0, 1.0, 1.0], 0.0, time.monotonic()) == 3


def test_time_is_divided_among_the_phases_still_to_come(tmp_path: Path) -> None:
    phases = [phase("one"), replace(phase("two"), part=2.0), phase("three")]
    budget = loop.Budget(4, phases, tmp_path)
    assert budget.seconds(phases[0]) == pytest.approx(60, abs=1)
    done = loop.Phases(tmp_path)
    done.epochs("one")
    done.finish("one")
    assert budget.seconds(phases[1]) == pytest.approx(160, abs=1)


def test_changed_network_is_noticed(tmp_path: Path) -> None:
    network, other = TEACHER.build(), TEACHER.build()
    file = tmp_path / "net.npz"
    loop.save(file, network.get_weights())
    loop.add_probe(file, TEACHER.build(), RNG.integers(0, 255, (2, 44, 44, 1), dtype=np.uint8))
    verify.check(other, file)
    weights, stored = loop.load(file)
    loop.save(file, [weight + 0.5 for weight in weights], **stored)
    with pytest.raises(verify.Different, match="differs by"):
        verify.check(other, file)


def test_action_student_has_the_served_blocks_and_its_teachers_stay(
    packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "AUGMENTATION", replace(action.AUGMENTATION, compressed=0.0))
    out, state = tmp_path / "run", tmp_path / "state"
    state.mkdir()
    teacher = replace(action.TEACHER, epochs=1, batch=4)
    student = replace(action.STUDENT, epochs=1, batch=4)
    for _ in range(2):  # again changes nothing
        assert action.train(packs, out, state, 5, size=TINY, teachers=[teacher], student=student)
    assert {file.name for file in out.iterdir()} == {"action-student.npz", "phases.json"}
    assert [file.name for file in state.iterdir()] == ["action-1.npz"]
    weights, stored = loop.load(out / "action-student.npz")
    served = build(width=TINY.width, heads=TINY.heads)
    served.set_weights(weights)
    untouched = action.frozen(TINY)
    network = action.whole(TINY)
    action.load_weights(network, action.unpacked(packs)[1])
    untouched.set_weights(network.get_layer("frozen").get_weights())
    answer = served(untouched(stored["probe"].astype(np.float32)))
    assert answer.shape == (5, len(ACTIONS))
    assert np.allclose(answer, stored["answer"], atol=1e-3)


def test_what_runs_on_the_gpu_imports_no_tensorflow() -> None:
    program = (
        "import sys, keras\n"  # with the backend that is installed here
        "sys.modules['tensorflow'] = None\n"
        "import ml.training.accelerated.__main__, ml.training.pack\n"
        "from ml.training.accelerated import action, emotion\n"
        "print(len(emotion.TEACHERS))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
