"""Calibrated actions of photos by the shipped head."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ml.action.backbone import VIEWS, features
from ml.calibration import Floats, softmax
from ml.manifest import entry
from ml.networks import network


def predict(photos: Sequence[Image.Image]) -> Floats:
    """Return (n, 15) probabilities in the order of ACTIONS; logits are averaged over views."""
    described = entry("action")
    views = [VIEWS[name](photo) for photo in photos for name in described["views"]]
    logits = np.asarray(network("action")(features(views), training=False), dtype=np.float64)
    mean = logits.reshape(len(photos), len(described["views"]), -1).mean(axis=1)
    return softmax(mean, described["temperature"])


def threshold() -> float:
    """Return the confidence from which on an action is named; chosen on HAR's `val` split."""
    return float(entry("action")["threshold"])


def label(probabilities: dict[str, float]) -> str | None:
    """Return the likeliest action, or None where it is not sure enough to be named."""
    name = max(probabilities, key=lambda action: probabilities[action])
    return name if probabilities[name] >= threshold() else None
