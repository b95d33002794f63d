"""Ironic captions for training.

No large collection of ironic captions in many languages was available. `written/irony.csv` holds a
few dozen pairs written for this project: an ironic caption, and a sincere one with the same words.
A linear classifier on the sentence embedding learns from them (`ml.training.caption.logistic`).
"""

import csv
from pathlib import Path

import numpy as np

import ml.caption
from ml.types import Float64Array

WRITTEN = Path(ml.caption.__file__).with_name("written")

PRIOR = 0.1
"""Share of ironic captions that is assumed; among tweets it is a tenth or less."""


def ironic_captions() -> tuple[list[str], Float64Array]:
    """Return n captions and (n,) labels, 1 for ironic and 0 for sincere.

    They are those of irony.csv and the sincere ones of development.csv.
    """
    with (WRITTEN / "irony.csv").open() as stream:
        rows = [(row["text"], float(row["ironic"])) for row in csv.DictReader(stream)]
    with (WRITTEN / "development.csv").open() as stream:
        sincere = [row["text"] for row in csv.DictReader(stream) if row["kind"] != "sarcasm"]
    rows += [(text, 0.0) for text in sincere]
    return [text for text, _ in rows], np.array([ironic for _, ironic in rows])
