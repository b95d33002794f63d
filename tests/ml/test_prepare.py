"""Original downloads become the layout that training and evaluation read."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from ml.emotion.data import decode
from ml.prepare import FERPLUS, main


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
