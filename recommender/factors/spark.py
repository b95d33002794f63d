"""python -m recommender.factors.spark --choices CHOICES.parquet --factors FACTORS.parquet

Trains the collaborative factors with Spark MLlib's ALS, for choices that don't fit on one machine.
It reads what `manage.py factors export` writes and writes what `manage.py factors load` reads. On
a cluster, submit this file with spark-submit and PYTHONPATH=., and use paths that every machine
can reach; the driver holds the songs' vectors (256 MB per million).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.engine.als import Settings
from recommender.factors.files import SongFactors, write_factors

# MLlib scales regularisation with the choices of a person or song (Zhou et al. 2008).
REGULARISATION = 0.1
LOCAL_PARTITIONS = 4


def main(arguments: Sequence[str] | None = None) -> None:
    from pyspark.sql import SparkSession

    options = _options(arguments)
    builder = SparkSession.builder.appName("storify-factors")
    if options.master:
        # Only on one machine: a cluster keeps its own settings.
        builder = builder.master(options.master).config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", LOCAL_PARTITIONS)
    spark = builder.getOrCreate()
    try:
        factors = train(spark, options.choices, Settings(n_factors=options.n_factors))
    finally:
        spark.stop()
    write_factors(options.factors, factors)


def train(spark: Any, choices: Path, settings: Settings, seed: int = 0) -> SongFactors:
    """Train on a file of choices in this Spark session."""
    from pyspark.ml.feature import StringIndexer
    from pyspark.ml.recommendation import ALS
    from pyspark.sql.functions import lit

    pairs = spark.read.parquet(str(choices)).distinct()
    people = StringIndexer(inputCol="person", outputCol="person_index")
    songs = StringIndexer(inputCol="song", outputCol="song_index").fit(pairs)
    indexed = songs.transform(people.fit(pairs).transform(pairs)).withColumn("chosen", lit(1.0))
    indexed = indexed.cache()
    learned = ALS(
        userCol="person_index",
        itemCol="song_index",
        ratingCol="chosen",
        implicitPrefs=True,
        rank=settings.n_factors,
        alpha=settings.confidence,
        regParam=REGULARISATION,
        maxIter=settings.n_iterations,
        seed=seed,
    ).fit(indexed)
    counts = {int(row[0]): row[1] for row in indexed.groupBy("song_index").count().collect()}
    rows = sorted(learned.itemFactors.collect())
    n_people = indexed.select("person_index").distinct().count()
    mean_choices = sum(counts.values()) / n_people
    return SongFactors(
        songs=[songs.labels[row.id] for row in rows],
        vectors=np.array([row.features for row in rows], dtype=np.float32),
        n_choices=np.array([counts[row.id] for row in rows], dtype=np.int64),
        settings=Settings(
            n_factors=settings.n_factors,
            confidence=settings.confidence,
            # What a person of the average number of choices was trained with.
            regularisation=REGULARISATION * mean_choices,
        ),
        method="spark",
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recommender.factors.spark", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--choices", type=Path, required=True)
    parser.add_argument("--factors", type=Path, required=True)
    parser.add_argument("--n-factors", type=int, default=Settings().n_factors)
    parser.add_argument("--master", help="local[2], for example; else what Spark is set up with")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
