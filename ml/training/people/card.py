"""Write the card of the regression that tells people from others.

Run as `python -m ml.training.people.card`. The figures are those that `ml.training.people.train`
has written to the manifest.
"""

from pathlib import Path
from typing import Any

from ml.evaluation.cards import table_of
from ml.manifest import FOLDER, entry
from ml.training.people.train import LOST

TEMPLATE = Path(__file__).parents[2] / "evaluation" / "card_templates" / "people.md"


def card() -> str:
    """Return the card as Markdown."""
    described = entry("people")
    figures, (people_rows, nobody_rows) = described["figures"], described["trained_on"]
    people = figures["people"]
    return TEMPLATE.read_text().format(
        version=described["version"],
        people_rows=people_rows,
        nobody_rows=nobody_rows,
        lost_goal=LOST,
        people_n=people["n"],
        people_lost=people["lost"],
        people_interval=_interval(people),
        nobody=table_of([_row(kind, figures) for kind in figures["nobody"]]),
    )


def _row(kind: str, figures: dict[str, Any]) -> dict[str, Any]:
    figure, unseen = figures["nobody"][kind], figures["never_seen"].get(kind)
    return {
        "kind": kind,
        "n": figure["n"],
        "found": figure["found"],
        "people": figure["people"],
        "95 %": _interval(figure),
        "never seen": unseen["people"] if unseen else "–",
    }


def _interval(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{low:.3f} to {high:.3f}"


if __name__ == "__main__":
    (FOLDER / "people" / "CARD.md").write_text(card())
