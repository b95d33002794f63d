import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.engine.content import FEATURES
from recommender.engine.evaluate import main
from recommender.engine.offline import metrics, splits
from recommender.engine.offline.data import Dataset, load
from recommender.engine.offline.neighbours import fit
from recommender.engine.offline.protocol import evaluate

METRICS = {"recall@10", "recall@50", "ndcg@10", "ndcg@50", "mrr"}


def files(folder: Path, n_users: int = 60, n_items: int = 120) -> tuple[Path, Path]:
    """Two crowds with their own halves of the catalogue, one of them loud and one quiet."""
    rng = np.random.default_rng(1)
    loud = np.arange(n_items) >= n_items // 2
    features = {name: rng.uniform(0.2, 0.6, n_items) for name in FEATURES}
    features["acousticness"] = np.where(loud, 0.05, 0.9)
    features["valence"], features["energy"] = rng.random(n_items), rng.random(n_items)
    names = [f"t{i:03d}" for i in range(n_items)]
    pq.write_table(pa.table({"track_id": names, **features}), folder / "tracks.parquet")
    half = n_items // 2
    rows = [
        (user, names[item + half * (user % 2)])
        for user in range(n_users)
        for item in rng.permutation(half)[:20]
    ]
    users, tracks = zip(*rows, strict=True)
    table = pa.table({"user_id": users, "track_id": tracks})
    pq.write_table(table, folder / "interactions.parquet")
    return folder / "tracks.parquet", folder / "interactions.parquet"


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    return load(*files(tmp_path))


def test_command_prints_every_ranker_and_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, interactions = files(tmp_path)
    main(["--tracks", str(tracks), "--interactions", str(interactions), "--json"])
    result = json.loads(capsys.readouterr().out)
    rankers = {"random", "popularity", "content_taste", "item_knn", "hybrid"}
    assert set(result) == {"warm", "cold", "mood"}
    assert rankers == set(result["warm"]) == set(result["cold"])
    assert set(result["mood"]) == {"0.05", "0.1", "0.2"}
    assert set(result["mood"]["0.1"]) == rankers | {"mood_likelihood"}
    assert set(result["warm"]["hybrid"]) == METRICS


def test_table_is_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracks, interactions = files(tmp_path)
    main(["--tracks", str(tracks), "--interactions", str(interactions)])
    assert "mood, sd 0.05" in capsys.readouterr().out


def test_what_has_a_signal_beats_chance(data: Dataset) -> None:
    result = evaluate(data)
    for question, ranker in (("warm", "item_knn"), ("cold", "content_taste"), ("cold", "hybrid")):
        rows = result[question]
        assert rows[ranker]["ndcg@10"] > 1.3 * rows["random"]["ndcg@10"]
    near = result["mood"]["0.05"]
    assert near["hybrid"]["mrr"] > near["mood_likelihood"]["mrr"] > 2 * near["random"]["mrr"]


def test_same_seed_gives_the_same_figures(data: Dataset) -> None:
    assert evaluate(data, 3) == evaluate(data, 3) != evaluate(data, 4)


def test_only_the_wanted_users_are_scored(tmp_path: Path) -> None:
    tracks, interactions = files(tmp_path)
    pq.write_table(pa.table({"user_id": [3, 5, 999]}), tmp_path / "users.parquet")
    data = load(tracks, interactions, tmp_path / "users.parquet")
    assert data.scored.tolist() == [3, 5]
    assert data.n_users == 60


def test_warm_split_holds_out_a_fifth_of_each(data: Dataset) -> None:
    split = splits.warm(data, np.random.default_rng(0))
    assert np.bincount(data.users[split.test]).tolist() == [4] * 60


def test_cold_split_keeps_nothing_of_the_listed_items(data: Dataset) -> None:
    split = splits.cold(data, np.random.default_rng(0))
    assert not split.listed[data.items[~split.test]].any()
    assert split.listed.sum() == 24


def test_metrics_of_a_known_list() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    ranks = metrics.ranks_of(scores, np.array([3, 1]))
    assert ranks.tolist() == [2, 4]
    found = metrics.of_one_list(ranks)
    assert found["mrr"] == 0.5
    assert found["recall@10"] == 1.0
    gained, ideal = 1 / np.log2(3) + 1 / np.log2(5), 1 + 1 / np.log2(3)
    assert found["ndcg@10"] == pytest.approx(gained / ideal)


def test_scoring_everything_alike_gains_nothing() -> None:
    assert metrics.ranks_of(np.zeros(30), np.array([4])).tolist() == [30]


def test_neighbours_are_those_saved_together() -> None:
    users = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    items = np.array([0, 1, 0, 1, 2, 3, 2, 3])
    neighbours = fit(users, items, n_items=4, k=2)
    scores = neighbours.scores(np.array([0]))
    assert scores[1] > 0.0
    assert scores[[0, 2, 3]].tolist() == [0.0, 0.0, 0.0]
