"""Measure VADER on our own captions, for the card of the caption network.

python -m ml.evaluation.caption_baselines     (after `pip install vaderSentiment==3.3.2`)

VADER (Hutto & Gilbert 2014) rates the sentiment of English words: only the sign is measured.
"""

import json

import numpy as np

from ml.evaluation import caption_measure
from ml.evaluation.caption_card import FOLDER
from ml.evaluation.tables import read
from ml.mood import Gaussian
from ml.training.caption.data import WRITTEN


def measure_vader() -> caption_measure.Report:
    """Return the accuracy of the sign of VADER's compound score."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    table = read(WRITTEN / "test.csv", None)
    score = SentimentIntensityAnalyzer().polarity_scores
    moods = [
        Gaussian(np.array([(score(text)["compound"] + 1) / 2, 0.5]), np.eye(2) * 0.01)
        for text in table["text"].to_pylist()
    ]
    signs = caption_measure.measure_signs(moods, table)
    return {"signs": signs["right"], "signs in English": signs["languages"]["en"]["right"]}


def main() -> None:
    file = FOLDER / "baselines.json"
    content = json.loads(file.read_text())
    content["written"]["VADER 3.3.2"] = measure_vader()
    file.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
