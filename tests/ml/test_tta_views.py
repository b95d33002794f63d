"""Test-time augmentation of the emotion network: crop and mirror image."""

import numpy as np
from numpy.typing import NDArray

from ml.arrays import Float32Array
from ml.emotion.predict import SIZE, TTA_VIEWS, logits, tta_views


def faces(n: int) -> NDArray[np.uint8]:
    """Return n faces that grow brighter to the right, each darker than the one before."""
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    return np.stack([ramp // (k + 1) for k in range(n)])


def test_views_are_the_middle_the_whole_mirrored_and_from_nearer() -> None:
    middle, whole, near = tta_views(faces(1))[:, SIZE // 2, :, 0]
    assert (middle == np.arange(2, 46) * 5).all()
    assert whole[0] > middle[-1]
    assert whole[-1] < middle[0]
    assert near[0] > middle[0]
    assert near[-1] < middle[-1]
    assert (np.diff(near) >= 0).all()


def test_every_face_gets_the_mean_of_its_own_views() -> None:
    def brightness(views: Float32Array) -> Float32Array:
        return np.asarray(views.mean(axis=(1, 2)), dtype=np.float32)

    together = logits(brightness, faces(4))
    assert together.shape == (4, 1)
    assert np.allclose(together, [logits(brightness, face[None])[0] for face in faces(4)])
    assert np.allclose(together[0], tta_views(faces(1)).reshape(len(TTA_VIEWS), -1).mean())
    assert (np.diff(together[:, 0]) < 0).all()
