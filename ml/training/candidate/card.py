"""The model card of a candidate, as Markdown."""

from collections.abc import Mapping
from typing import Any

SETS = {
    "public": "Frozen public test set",
    "audit": "Reviewed audit photos of the test people",
}


def card_of(described: Mapping[str, Any]) -> str:
    """Return the card of what `train_candidate` describes."""
    reviewed = described["reviewed"]
    return "\n".join(
        [
            f"# {described['name']} {described['version']}",
            "",
            f"The last layers of {described['compared_with']}, tuned on {reviewed['train']} "
            f"reviewed rows (export {described['export']}) and {described['base']} rows of base "
            "data.",
            "",
            "Rows of one person are on one side only: training, validation or test. Nothing was "
            "chosen on the test rows.",
            "",
            *(_line(title, described["comparison"][key]) for key, title in SETS.items()),
            "",
            "Intervals are 95 % (method 10 of Newcombe 1998); p is McNemar's exact test.",
            "",
        ]
    )


def _line(title: str, pair: Mapping[str, Any] | None) -> str:
    if pair is None:
        return f"- {title}: not measured."
    return (
        f"- {title}: {pair['n']} rows, accuracy {pair['serving']:.4f} before and "
        f"{pair['candidate']:.4f} now, difference {pair['difference']:+.4f} "
        f"({pair['low']:+.4f} to {pair['high']:+.4f}), p = {pair['p']:.3f}."
    )
