"""Agreement of reviewers."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from ml.review.agreement import cohen_kappa, krippendorff_alpha

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections A to C.
BINARY = ("0100000010", "1110010000")
NOMINAL = ("aabbdcccedda", "babbbccceddd")
MISSING = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def alpha(*observers: str) -> float | None:
    return krippendorff_alpha(
        [one for one in answer if one != "."] for answer in zip(*observers, strict=True)
    )


@pytest.mark.parametrize(
    ("observers", "published"), [(BINARY, 0.095), (NOMINAL, 0.692), (MISSING, 0.743)]
)
def test_alpha_gives_the_published_values(observers: tuple[str, ...], published: float) -> None:
    assert alpha(*observers) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("observers", [("", ""), ("..", "ab"), ("aa", "aa")])
def test_alpha_is_unknown_without_anything_to_tell_apart(observers: tuple[str, ...]) -> None:
    assert alpha(*observers) is None


def test_kappa_gives_the_textbook_value() -> None:
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(one, other) == pytest.approx(0.4)


def test_kappa_gives_what_sklearn_gives() -> None:
    generator = np.random.default_rng(4)
    one = generator.choice(list("abc"), 200)
    other = np.where(generator.random(200) < 0.6, one, generator.choice(list("abcd"), 200))
    theirs = cohen_kappa_score(one, other)
    assert cohen_kappa(one.tolist(), other.tolist()) == pytest.approx(theirs)


@pytest.mark.parametrize("answers", [[], ["a", "a"]])
def test_kappa_is_unknown_without_anything_to_tell_apart(answers: list[str]) -> None:
    assert cohen_kappa(answers, answers) is None
