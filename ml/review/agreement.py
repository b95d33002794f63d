"""How far people agree beyond chance."""

from collections import Counter
from collections.abc import Iterable, Sequence


def cohen_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Return Cohen's kappa (1960) of two people's answers to the same questions.

    None without answers, or if both gave one and the same answer throughout.
    """
    n = len(one)
    if not n:
        return None
    left, right = Counter(one), Counter(other)
    chance = sum(left[name] * right[name] for name in left) / n**2
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Return Krippendorff's alpha (nominal, 2011); each unit has the answers that were given to it.

    Units with fewer than two answers say nothing. None without any other, or if all answers are
    the same.
    """
    pairable = [Counter(unit) for unit in units if len(unit) > 1]
    total = sum(pairable, Counter[str]())
    n = total.total()
    expected = n * n - sum(count**2 for count in total.values())
    if not expected:
        return None
    observed = sum(
        (unit.total() ** 2 - sum(count**2 for count in unit.values())) / (unit.total() - 1)
        for unit in pairable
    )
    return 1 - (n - 1) * observed / expected
