"""Building the data for training and evaluation from the downloads."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ml.training.action.no_action import DEVELOPMENT, DRAWN_EACH, HOLDOUT
from ml.training.emotion.data import decode
from ml.training.prepare import FERPLUS, main


def test_fer2013_csv_becomes_rows_with_votes_and_copies(tmp_path: Path) -> None:
    dark, light = " ".join(["7"] * 48 * 48), " ".join(["200"] * 48 * 48)
    with (tmp_path / "fer.csv").open("w", newline="") as stream:
        lines = [("3", dark, "Training"), ("4", light, "PublicTest"), ("6", dark, "PrivateTest")]
        csv.writer(stream).writerows([("emotion", "pixels", "Usage"), *lines])
    with (tmp_path / "plus.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("Usage", *FERPLUS, "NF"), *[("x", *range(9), 1)] * 3])
    out = tmp_path / "fer.parquet"
    files = ("--csv", str(tmp_path / "fer.csv"), "--ferplus", str(tmp_path / "plus.csv"))
    main(["fer2013", *files, "--out", str(out)])
    rows = pq.read_table(out).to_pylist()
    assert [row["label"] for row in rows] == ["happy", "sad", "neutral"]
    assert [row["split"] for row in rows] == ["train", "public_test", "private_test"]
    assert [row["copy_in_train"] for row in rows] == [False, False, True]
    assert (rows[0]["votes_neutral"], rows[0]["votes_anger"]) == (0, 4)
    assert (decode(rows[1]["image"]) == 200).all()


def test_har_folder_becomes_rows_with_held_out_photos(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rng = np.random.default_rng(4)
    names = [f"{n}.png" for n in range(20)]
    for name in names[:19]:
        small = Image.fromarray(rng.integers(0, 255, (8, 9, 3), dtype=np.uint8))
        small.resize((450, 400), Image.Resampling.NEAREST).save(tmp_path / "train" / name)
    (tmp_path / "train" / "19.png").write_bytes((tmp_path / "train" / "0.png").read_bytes())
    with (tmp_path / "Training_set.csv").open("w", newline="") as stream:
        lines = [(name, "running") for name in names]
        csv.writer(stream).writerows([("filename", "label"), *lines])
    out = tmp_path / "har.parquet"
    main(["har", "--folder", str(tmp_path), "--out", str(out)])
    rows = {row["file"]: row for row in pq.read_table(out).to_pylist()}
    splits = [row["split"] for row in rows.values()]
    assert (splits.count("val"), splits.count("test")) == (2, 2)
    assert {rows["0.png"]["split"], rows["19.png"]["split"]} == {"train"}
    assert [name for name, row in rows.items() if row["exact_or_near_copy"]] == ["19.png"]


def test_sample_images_become_photos_of_no_action_in_two_parts(tmp_path: Path) -> None:
    for name, colour in (("cats", (200, 90, 10)), ("beaches", (10, 90, 200))):
        (tmp_path / name / "deep").mkdir(parents=True)
        Image.new("RGBA", (900, 600), (*colour, 255)).save(tmp_path / name / "deep" / "big.png")
        Image.new("RGB", (30, 300), colour).save(tmp_path / name / "icon.png")
        (tmp_path / name / "broken.jpg").write_bytes(b"no picture")
    out = tmp_path / "none.parquet"
    parts = ("--development", f"pets={tmp_path / 'cats'}", "--holdout", str(tmp_path / "beaches"))
    main(["no-action", *parts, "--out", str(out)])
    rows = pq.read_table(out).to_pylist()
    assert {row["label"] for row in rows} == {"none"}
    found = [row for row in rows if not row["source"].startswith("drawn")]
    assert [(row["source"], row["split"]) for row in found] == [
        ("pets", "development"),
        ("beaches", "test"),
    ]
    assert Image.open(io.BytesIO(found[0]["image"])).size == (336, 224)
    drawn = {split: [r for r in rows if r["split"] == split] for split in ("development", "test")}
    assert len(drawn["development"]) == 1 + DRAWN_EACH * len(DEVELOPMENT)
    assert len(drawn["test"]) == 1 + DRAWN_EACH * len(HOLDOUT)
    assert not {row["source"] for row in drawn["development"]} & {
        row["source"] for row in drawn["test"]
    }


def test_folder_without_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no picture"):
        main(["none", "--held-out", str(tmp_path / "empty"), "--out", str(tmp_path / "out")])


def test_pictures_without_faces_are_drawn_from_folders_in_two_halves(tmp_path: Path) -> None:
    for kind, count in (("animals", 5), ("clip arts", 3)):
        (tmp_path / kind).mkdir()
        for n in range(count):
            Image.new("RGB", (1500, 90), (n, n, n)).save(tmp_path / kind / f"{n}.png")
    out = tmp_path / "no_faces.parquet"
    folders = (f"animal={tmp_path / 'animals'}", f"drawing={tmp_path / 'clip arts'}")
    main(["no-faces", "--folders", *folders, "--most", "4", "--out", str(out)])
    rows = pq.read_table(out).to_pylist()
    assert [row["kind"] for row in rows] == ["animal"] * 4 + ["drawing"] * 3
    assert {row["n_faces"] for row in rows} == {0}
    assert [row["split"] for row in rows[:4]] == ["development", "test"] * 2
    assert len({row["file"] for row in rows[:4]}) == 4
    assert Image.open(io.BytesIO(rows[0]["image"])).width == 1024
