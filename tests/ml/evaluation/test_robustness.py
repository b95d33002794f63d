"""Changes of faces for robustness."""

import numpy as np
import pytest

from ml.evaluation.robustness import CHANGES, measure

FACES = np.random.default_rng(1).integers(30, 225, (3, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("name", list(CHANGES)[1:])
def test_change_keeps_the_shape_and_changes_the_faces(name: str) -> None:
    before = FACES.copy()
    changed = CHANGES[name](FACES)
    assert changed.shape == FACES.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, FACES)
    assert np.array_equal(FACES, before)


def test_cost_is_what_the_accuracy_loses() -> None:
    def predict(faces: np.ndarray) -> np.ndarray:
        bright = faces.mean(axis=(1, 2)) > 80
        return np.where(bright[:, None], [0.9, 0.1], [0.1, 0.9])

    rows = {row["change"]: row for row in measure(FACES, np.zeros(3, dtype=np.int64), predict)}
    assert rows["as it is"] == {
        **{"change": "as it is", "n": 3, "accuracy": 1.0},
        **{"cost": 0.0, "confidence": 0.9},
    }
    assert rows["a fifth of the light"]["cost"] == 1.0
    assert rows["JPEG quality 30"]["cost"] == 0.0
