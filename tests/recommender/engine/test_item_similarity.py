"""Item-item similarity, computed by hand."""

import numpy as np
import pytest

from recommender.engine.item_similarity import similarity, together_scores


def test_similarity_is_the_cosine_with_five_added_to_both_counts() -> None:
    """4 / sqrt((11 + 5) * (20 + 5)) = 4 / 20."""
    assert similarity([4], [11], [20])[0] == pytest.approx(0.2)


def test_scores_are_the_logarithm_of_one_more_than_the_sum_in_units_of_little() -> None:
    assert together_scores(np.array([0.0, 0.03, 0.09])) == pytest.approx(np.log([1, 2, 4]))
