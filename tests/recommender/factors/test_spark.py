"""Training on Spark in local mode; needs Java and pyspark."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from recommender.engine.als import fold_in
from recommender.factors.files import read_factors, write_choices

pytest.importorskip("pyspark", reason="requirements/spark.txt is not installed")
pytestmark = pytest.mark.skipif(not shutil.which("java"), reason="there is no Java here")


@pytest.mark.enable_socket
def test_spark_learns_what_goes_together_from_the_same_file(tmp_path: Path) -> None:
    from recommender.factors import spark

    rng = np.random.default_rng(0)
    write_choices(
        tmp_path / "choices.parquet",
        [
            (person, f"{'ab'[person % 2]}{song}")
            for person in range(60)
            for song in rng.permutation(8)[:5]
        ],
    )
    spark.main(
        ["--choices", str(tmp_path / "choices.parquet"), "--factors", str(tmp_path / "f.parquet"),
         "--n-factors", "2", "--master", "local[1]"]
    )  # fmt: skip
    factors = read_factors(tmp_path / "f.parquet")
    assert factors.method == "spark"
    assert sorted(factors.songs) == sorted(f"{sort}{song}" for sort in "ab" for song in range(8))
    assert factors.n_choices.sum() == 300
    row = {song: place for place, song in enumerate(factors.songs)}
    gram = factors.vectors.T @ factors.vectors
    person = fold_in(gram, factors.vectors[[row["a0"], row["a1"]]], factors.settings)
    cares = {song: float(factors.vectors[place] @ person) for song, place in row.items()}
    assert min(v for s, v in cares.items() if s[0] == "a") > max(
        v for s, v in cares.items() if s[0] == "b"
    )
