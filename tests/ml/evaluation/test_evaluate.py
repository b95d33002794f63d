"""The evaluation command on tiny files."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ml.evaluation.measure import main
from ml.faces.detection import Detection
from ml.images import decoded
from tests.ml.test_faces import drawing

REQUIRED = {"n", "accuracy", "balanced_accuracy", "ece", "ms_per_item"}


def encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def write(folder: Path, columns: Mapping[str, Sequence[Any]]) -> str:
    file = folder / "rows.parquet"
    pq.write_table(pa.table(columns), file)
    return str(file)


def run(
    capsys: pytest.CaptureFixture[str], *arguments: str, required: set[str] | None = None
) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= (required or REQUIRED)
    return dict(result)


def test_emotion_test_split_is_both_test_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "image": [encoded(Image.new("L", (48, 48), 40 * n)) for n in range(4)],
        "label": ["happy", "sad", "happy", "fear"],
        "split": ["train", "public_test", "private_test", "private_test"],
        "copy_in_train": [False, False, True, False],
    }
    result = run(capsys, "emotion", "--data", write(tmp_path, columns), "--split", "test")
    assert result["n"] == 3
    assert result["without_copies"]["n"] == 2
    assert sum(map(sum, result["confusion"])) == 3


def test_action_says_how_often_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "image": [encoded(drawing(90, 60))] * 3,
        "label": ["running", "sitting", "none"],
    }
    result = run(capsys, "action", "--data", write(tmp_path, columns))
    assert (result["n"], result["accuracy"]) in {(2, 0.0), (2, 0.5)}
    assert result["named"] == {"share": 0.0, "accuracy": None}
    assert (result["none"]["n"], result["none"]["named"]) == (1, 0.0)
    assert result["none"]["sources"]["none"]["n"] == 1


def test_photos_of_no_action_are_measured_beside_those_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = pa.array(["running", "sitting"], pa.large_string())  # some writers make them so
    columns = {"image": [encoded(drawing(90, 60))] * 2, "label": labels}
    (tmp_path / "none").mkdir()
    none: dict[str, list[Any]] = {
        "image": [encoded(Image.new("RGB", (70, 70), (n, 90, 20))) for n in range(3)],
        "label": ["none"] * 3,
        "split": ["development", "test", "test"],
        "source": ["plain", "plain", "flat"],
    }
    extra = write(tmp_path / "none", none)
    result = run(capsys, "action", "--data", write(tmp_path, columns), "--no-action", extra)
    assert (result["n"], result["none"]["n"]) == (2, 2)
    assert {name: source["n"] for name, source in result["none"]["sources"].items()} == {
        "plain": 1,
        "flat": 1,
    }


def test_caption_leaves_out_texts_of_several_emotions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "text": ["I am so happy!", "love and anger", "I cried all night, so sad"],
        "labels": [["joy", "love"], ["love", "anger"], ["sadness"]],
    }
    result = run(capsys, "caption", "--data", write(tmp_path, columns))
    assert (result["n"], result["several_emotions_left_out"]) == (2, 1)
    assert result["accuracy"] == 1


@pytest.mark.parametrize("without_labels", [{}, {"label": ["", "", None]}])
def test_captions_with_signs_alone_are_measured_by_their_side(
    without_labels: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "text": ["best day ever with my friends!", "my heart is broken", None],
        "language": ["en", "en", "en"],
        "valence": [1, -1, 0],
        "kind": ["plain", "plain", "fact"],
    }
    file = write(tmp_path, columns | without_labels)
    result = run(capsys, "caption", "--data", file, required={"n", "signs", "ms_per_item"})
    assert "accuracy" not in result
    assert (result["signs"]["n"], result["signs"]["right"], result["signs"]["misled"]) == (2, 1, 0)


def test_rated_captions_are_measured_by_correlation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "text": ["best day ever!!", "my heart is broken", "a table", "furious right now", "peace"],
        "valence": [4.5, 1.5, 3.0, 1.8, 3.9],
        "arousal": [4.2, 2.5, 2.8, 4.2, 2.0],
    }
    file = write(tmp_path, columns)
    result = run(capsys, "caption", "--data", file, required={"n", "ratings"})
    assert "signs" not in result
    assert result["ratings"]["valence_r"] > 0.5


def test_sentiments_have_three_classes_and_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "text": ["I love this", "je déteste ça"],
        "label": ["positive", "negative"],
        "language": ["english", "french"],
    }
    result = run(capsys, "caption", "--data", write(tmp_path, columns))
    assert result["classes"] == ["negative", "neutral", "positive"]
    assert result["languages"].keys() == {"english", "french"}


@pytest.mark.parametrize("column", ["faces", "n_faces"])
def test_faces_are_measured_by_boxes_or_counts(
    column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = [[], [[10.0, 10.0, 30.0, 30.0]]] if column == "faces" else [0, 1]
    columns: dict[str, list[Any]] = {"image": [encoded(drawing())] * 2, column: marked}
    result = run(capsys, "faces", "--data", write(tmp_path, columns))
    assert (result["n"], result["accuracy"], result["recall"]) == (2, 0.5, 0.0)
    assert result["false"] == {"all": {"n": 1, "share": 0.0, "interval": [0.0, 0.7935]}}


def test_false_faces_are_counted_by_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    face = Detection((0.1, 0.1, 0.2, 0.2), ((0.1, 0.2), (0.2, 0.2)), 0.9)
    monkeypatch.setattr(
        "ml.evaluation.faces.find_people", lambda photo: (face,) if photo.width < 50 else ()
    )
    images = [encoded(drawing(width)) for width in (40, 60, 60, 60, 40)]
    kinds = ["animal", "animal", "drawing", "drawing", "photo"]
    columns: dict[str, list[Any]] = {"image": images, "kind": kinds, "n_faces": [0, 0, 0, 0, 1]}
    false = run(capsys, "faces", "--data", write(tmp_path, columns))["false"]
    assert {kind: (one["n"], one["share"]) for kind, one in false.items()} == {
        "animal": (2, 0.5),
        "drawing": (2, 0.0),
    }
    low, high = false["animal"]["interval"]
    assert 0 < low < 0.5 < high < 1


@pytest.mark.parametrize(
    ("model", "columns", "split", "message"),
    [
        ("emotion", {"label": ["happy"]}, None, "no column image"),
        ("emotion", {"image": [b""], "label": ["bored"]}, None, "Unknown labels bored"),
        ("faces", {"image": [b""]}, None, "`faces`"),
        ("action", {"image": [b""], "label": ["running"]}, "test", "no column `split`"),
        ("action", {"split": ["train"], "label": ["running"]}, "val", "no split val, only train"),
        ("caption", {"text": ["a"]}, None, "no column label"),
        ("emotion", {"image": ["a.png"], "label": ["happy"]}, None, "holds string"),
        ("faces", {"image": pa.array([], pa.binary()), "n_faces": []}, None, "has no rows"),
        ("faces", {"image": pa.array([], pa.binary()), "faces": []}, None, "has no rows"),
        ("caption", {"text": ["a"], "labels": [["joy", "anger"]]}, None, "no row with one label"),
        ("caption", {"text": ["a", "b"], "valence": [1, None]}, None, "valence has rows without a"),
        ("mood", {"image": [b""], "valence_mean": [2], "arousal_mean": ["high"]}, None, "arousal_"),
        ("mood", {"image": [b""], "valence_side": [1], "energy_side": [None]}, None, "energy_side"),
        ("mood", {"image": [b""], "valence_side": [1], "energy_side": [3]}, None, "-1, 0 or 1"),
    ],
)
def test_wrong_file_is_explained(
    model: str,
    columns: dict[str, Any],
    split: str | None,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = ["--split", split] if split else []
    assert main([model, "--data", write(tmp_path, columns), *chosen]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("broken", [None, b"", b"no image", encoded(drawing(90, 60))[:60]])
@pytest.mark.parametrize("model", ["faces", "emotion", "action"])
def test_unreadable_image_is_named_by_its_row(
    model: str, broken: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: dict[str, list[Any]] = {
        "image": [encoded(drawing(90, 60)), broken],
        "label": ["running" if model == "action" else "happy"] * 2,
        "n_faces": [1, 1],
    }
    assert main([model, "--data", write(tmp_path, columns)]) == 2
    assert "The image of row 1 can't be read" in capsys.readouterr().err


def test_image_beside_its_path_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = {"bytes": encoded(Image.new("L", (48, 48))), "path": "a.png"}
    file = write(tmp_path, {"image": [image], "label": ["happy"]})
    assert run(capsys, "emotion", "--data", file)["n"] == 1


def test_photo_is_read_the_way_up_that_its_camera_noted() -> None:
    photo, stream = Image.new("RGB", (60, 40), (200, 0, 0)), io.BytesIO()
    photo.getexif()[0x0112] = 6
    photo.save(stream, "JPEG", exif=photo.getexif())
    assert decoded(stream.getvalue(), "It").size == (40, 60)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_metadata_do_not_spoil_the_picture(kind: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (60, 40)).save(stream, kind, exif=b"Exif\0\0garbage")
    assert decoded(stream.getvalue(), "It").size == (60, 40)


@pytest.mark.parametrize("option", ["--record", "--card"])
def test_figures_of_the_mood_are_not_recorded(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["mood", "--data", "/nowhere.parquet", option])
    assert "ml.evaluation.mood.cards" in capsys.readouterr().err


def test_missing_file_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emotion", "--data", "/nowhere.parquet"]) == 2
    assert "no file /nowhere.parquet" in capsys.readouterr().err
