"""The two networks that detect faces."""

from functools import cache

import cv2
import numpy as np

from ml.manifest import weights_file
from ml.types import Float64Array

SMALL = 128
"""Side in pixels of BlazeFace's input."""


@cache
def yunet(least: float) -> cv2.FaceDetectorYN:
    """Return YuNet for faces with a score of at least `least`."""
    cv2.setNumThreads(2)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # warns at every start
    return cv2.FaceDetectorYN.create(str(weights_file("yunet")), "", (320, 320), least, 0.3, 200)


@cache
def blazeface() -> tuple[cv2.dnn.Net, Float64Array]:
    """Return the network and its anchors (896, 2): two a cell of 16 x 16, six of 8 x 8."""
    # OpenCV's new engine keeps only one of the two outputs.
    engine = cv2.dnn.ENGINE_CLASSIC
    network = cv2.dnn.readNetFromTFLite(str(weights_file("blazeface")), engine=engine)
    grids = []
    for cells, anchors in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells] + 0.5
        grids.append(np.stack([x, y], axis=-1).reshape(-1, 2).repeat(anchors, axis=0) / cells)
    return network, np.concatenate(grids)
