"""How much a prediction deserves a second look."""

from collections.abc import Mapping


def uncertainty(probabilities: Mapping[str, float] | None) -> float:
    """Return one minus the margin between the two likeliest classes, in [0, 1]; 0 for none.

    Margin sampling (Scheffer et al. 2001): near 1, the model could as well have said the other.
    """
    if not probabilities:
        return 0.0
    second, first = sorted(probabilities.values())[-2:]
    return 1.0 - (first - second)
