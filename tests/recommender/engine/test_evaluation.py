import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from recommender.engine.evaluate import main
from recommender.engine.evaluation import metrics, splits
from recommender.engine.evaluation.data import Dataset, load
from recommender.engine.evaluation.ease import Settings as LinearSettings
from recommender.engine.evaluation.ease import linear_scores
from recommender.engine.evaluation.item_knn import scores
from recommender.engine.evaluation.protocol import evaluate
from recommender.engine.evaluation.rankers import varied
from recommender.engine.tracks.content import FEATURES

METRICS = {"recall@10", "recall@50", "ndcg@10", "ndcg@50", "mrr"} | {
    f"{name}@10" for name in ("diversity", "artist_coverage", "catalogue_coverage")
}


def files(
    folder: Path, n_users: int = 60, n_items: int = 120, *, described: bool = True
) -> tuple[Path, Path]:
    """Two crowds with their own halves of the catalogue, one of them loud and one quiet."""
    rng = np.random.default_rng(1)
    loud = np.arange(n_items) >= n_items // 2
    features = {name: rng.uniform(0.2, 0.6, n_items) for name in FEATURES}
    features["acousticness"] = np.where(loud, 0.05, 0.9)
    features["valence"], features["energy"] = rng.random(n_items), rng.random(n_items)
    names = [f"t{i:03d}" for i in range(n_items)]
    half = n_items // 2
    about = {
        "artists": [f"Band {i // 6}" if i % 7 else None for i in range(n_items)],
        "album": [f"Album {i // 3}" if i % 2 else None for i in range(n_items)],
        "genre": ["metal" if i >= half else "ambient" if i % 3 else None for i in range(n_items)],
        "release_date": [f"{1980 + i % 40}-01-01" if i % 5 else None for i in range(n_items)],
        "popularity": [float(i % 100) if i % 4 else None for i in range(n_items)],
    }
    table = {"track_id": names, **features, **(about if described else {})}
    pq.write_table(pa.table(table), folder / "tracks.parquet")
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
    tracks, interactions = files(tmp_path, n_users=12)
    main(["--tracks", str(tracks), "--interactions", str(interactions), "--json"])
    result = json.loads(capsys.readouterr().out)
    rankers = {"random", "popularity", "content_taste", "item_knn", "als", "ease", "hybrid"}
    assert set(result) == {"warm", "cold", "mood"}
    assert rankers == set(result["warm"]) == set(result["cold"])
    assert set(result["mood"]) == {"0.05", "0.1", "0.2"}
    assert set(result["mood"]["0.1"]) == rankers | {"mood_likelihood", "hybrid_varied"}
    assert set(result["warm"]["hybrid"]) == METRICS


@pytest.fixture
def titles(tmp_path: Path) -> Path:
    """Titles of all but three users, which name their crowd; one belongs to nobody."""
    ids = [*range(3, 60), 999]
    names = [f"{'Heavy' if user % 2 else 'Quiet'} list no. {user}" for user in ids]
    pq.write_table(pa.table({"user_id": ids, "title": names}), tmp_path / "titles.parquet")
    return tmp_path / "titles.parquet"


def test_titles_add_a_task_and_change_no_other(
    tmp_path: Path, titles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, interactions = files(tmp_path)
    paths = ["--tracks", str(tracks), "--interactions", str(interactions)]
    main([*paths, "--json"])
    without = json.loads(capsys.readouterr().out)
    main([*paths, "--titles", str(titles), "--json"])
    result = json.loads(capsys.readouterr().out)
    told = result.pop("title")
    assert result == without
    assert set(told) == {*result["warm"], "title_words"}
    assert set(told["hybrid"]) == METRICS
    for ranker in ("title_words", "hybrid"):
        assert told[ranker]["ndcg@10"] > 1.3 * told["popularity"]["ndcg@10"]
    main([*paths, "--titles", str(titles)])
    assert "title_words" in capsys.readouterr().out


def test_title_split_holds_out_everything_of_scored_users_with_a_title(
    tmp_path: Path, titles: Path
) -> None:
    scored = tmp_path / "users.parquet"
    pq.write_table(pa.table({"user_id": [*range(13)]}), scored)
    data = load(*files(tmp_path), scored, titles)
    split = splits.newcomers(data, np.random.default_rng(0))
    drawn = np.unique(data.users[split.test])
    assert len(drawn) == 2
    assert set(drawn) <= set(range(3, 13))
    assert not np.isin(data.users[~split.test], drawn).any()


def test_table_is_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracks, interactions = files(tmp_path, n_users=12)
    main(["--tracks", str(tracks), "--interactions", str(interactions), "--seeds", "2"])
    result = capsys.readouterr().out
    assert "mood, sd 0.05" in result
    assert "±" in result


def test_several_seeds_give_means_and_spread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, interactions = files(tmp_path, n_users=12)
    paths = ["--tracks", str(tracks), "--interactions", str(interactions), "--json"]

    def told(*more: str) -> dict[str, Any]:
        main([*paths, *more])
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    both, one, other = told("--seeds", "2"), told(), told("--seed", "1")
    figures = [t["warm"]["item_knn"]["mrr"] for t in (one, other)]
    assert both["seeds"] == [0, 1]
    assert both["warm"]["item_knn"]["mrr"] == pytest.approx(np.mean(figures), abs=1e-4)
    assert both["spread"]["warm"]["item_knn"]["mrr"] == pytest.approx(
        np.std(figures, ddof=1), abs=1e-4
    )


def test_what_has_a_signal_beats_chance(data: Dataset) -> None:
    result = evaluate(data)
    for question, ranker in (
        ("warm", "item_knn"),
        ("warm", "als"),
        ("warm", "ease"),
        ("warm", "hybrid"),
        ("cold", "content_taste"),
        ("cold", "hybrid"),
    ):
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


def crowd(n_users: int, n_items: int) -> sparse.csr_matrix:
    rng = np.random.default_rng(0)
    return sparse.csr_matrix((rng.random((n_users, n_items)) < 0.3).astype(np.float32))


def test_neighbours_are_those_saved_together() -> None:
    choices = sparse.csr_matrix(np.kron(np.eye(2), np.ones((2, 2))).astype(np.float32))
    choices = sparse.vstack([choices, sparse.csr_matrix([[1.0, 0.0, 0.0, 0.0]])], format="csr")
    last = scores(choices.astype(np.float32))[-1]
    assert last[1] > 0.0
    assert last[[0, 2, 3]].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("shape", [(8, 20), (40, 12)])
def test_ease_solves_its_ridge_regression_over_rows_as_over_items(shape: tuple[int, int]) -> None:
    choices = crowd(*shape)
    dense = choices.toarray().astype(float)
    inverse = np.linalg.inv(dense.T @ dense + 3.0 * np.eye(shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    scores = linear_scores(choices, LinearSettings(regularisation=3.0))
    assert scores == pytest.approx(dense @ weights, abs=1e-4)


def test_what_tracks_share_reaches_those_that_nobody_has() -> None:
    choices = crowd(30, 6)
    choices[:, 5] = 0.0
    choices[:, 4] = 0.0
    same_artist = sparse.csr_matrix(np.array([[3.0, 0, 0, 0, 0, 3.0]], np.float32))
    scores = linear_scores(choices, LinearSettings(regularisation=3.0), same_artist)
    fans = choices[:, 0].toarray().ravel() > 0
    assert scores[fans, 5].min() > 0.05 > np.abs(scores[:, 4]).max()
    assert scores[fans, 5].mean() > scores[~fans, 5].mean()


def test_catalogue_of_features_alone_is_enough(tmp_path: Path) -> None:
    result = evaluate(load(*files(tmp_path, described=False)))
    assert result["warm"]["hybrid"]["recall@50"] > result["warm"]["random"]["recall@50"]


def test_variety_costs_no_track_that_is_hidden_its_place(data: Dataset) -> None:
    scores = np.random.default_rng(0).random(data.n_items)
    scores[:5] = -np.inf
    first = np.argsort(-varied(data, scores))[:10]
    assert set(first) <= set(np.argsort(-scores)[:115])
    bands = [int(data.artists[row].indices[0]) for row in first if data.artists[row].nnz]
    assert max(Counter(bands).values()) <= 2
