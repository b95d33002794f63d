"""Whether a face is a person's is read from the patches under it."""

import numpy as np
import pytest
from PIL import Image

from ml.action.backbone import TOKENS
from ml.faces import people
from ml.faces.detection import Detection
from ml.faces.people import GRID, at_face, find_people, of_people
from ml.manifest import FOLDER, entry
from ml.training.people.card import card
from ml.types import Float32Array

EYES = ((0.3, 0.3), (0.4, 0.3))


def tokens_with(value: float, rows: slice, columns: slice) -> Float32Array:
    """Tokens that are zero but under some patches."""
    patches = np.zeros((GRID, GRID, TOKENS[1]), dtype=np.float32)
    patches[rows, columns] = value
    return np.concatenate([np.zeros((1, TOKENS[1]), np.float32), patches.reshape(-1, TOKENS[1])])


def test_only_patches_under_the_face_count() -> None:
    seen = tokens_with(1.0, slice(4, 8), slice(8, 12))
    assert at_face(seen, (0.5, 0.25, 0.24, 0.24)) == pytest.approx(np.ones(TOKENS[1]))
    assert at_face(seen, (0.0, 0.0, 0.2, 0.2)) == pytest.approx(np.zeros(TOKENS[1]))
    assert at_face(seen, (0.5, 0.25, 0.24, 0.49)) == pytest.approx(np.full(TOKENS[1], 0.5))


@pytest.mark.parametrize("box", [(-0.5, -0.5, 2.0, 2.0), (1.2, 1.2, 0.5, 0.5), (0.5, 0.5, 0, 0)])
def test_a_face_over_the_edge_is_read_where_it_is_in_the_photo(
    box: tuple[float, float, float, float],
) -> None:
    assert np.isfinite(at_face(tokens_with(1.0, slice(None), slice(None)), box)).all()


def test_faces_with_a_score_above_zero_are_people_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "regression", lambda: (np.ones(TOKENS[1]), -TOKENS[1] / 2))
    real, painted = (Detection((x, 0.0, 0.2, 0.2), EYES, 0.9) for x in (0.0, 0.6))
    seen = tokens_with(1.0, slice(0, 4), slice(0, 4))
    assert of_people([painted, real], seen) == (real,)


def test_without_a_face_nothing_more_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "encode", None)
    assert find_people(Image.new("RGB", (64, 64))) == ()


def test_the_shipped_regression_reaches_its_bars() -> None:
    figures = entry("people")["figures"]
    assert figures["people"]["lost"] <= 0.02
    for kind, figure in figures["nobody"].items():
        assert figure["people"] <= (0.1 if kind in {"object or scenery", "statue"} else 0.06), kind


def test_the_card_is_what_the_recorded_figures_make_of_its_text() -> None:
    assert (FOLDER / "people" / "CARD.md").read_text() == card()
