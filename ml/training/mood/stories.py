"""Stories with a known mood or side, as the evidence of their modalities, to fit the fusion on."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

from ml.caption.predict import is_empty
from ml.caption.predict import read as read_captions
from ml.evaluation.mood.ablation import Story
from ml.mood import MUSIC_MEAN, PHOTOS, Gaussian, MoodTarget, statements
from ml.mood.fusion import Evidence, Fusion, evidence, fused
from ml.training.scene.data import Seen
from ml.types import Float64Array, Int64Array

WRITTEN = Path(__file__).parents[2] / "scene" / "written" / "stories.csv"
"""Captions that we wrote to photos of OASIS, which are named and not shown."""

COMPOSED = 0.25
"""Weight of composed stories: their moods are drawn from the very places that the fusion gives to
emotions and actions, which flatters faces and actions. With a weight of 1 the ellipses of rated
photos were too narrow (.869 of nine tenths) and energy was worse than from the scene alone."""


@dataclass(frozen=True)
class Told:
    """Evidence of the modalities of n stories.

    `moods` (n, 2) are where they lie in the plane, or `sides` (n, 2; -1, 0 or 1) on which side of
    the middle of music; `kinds` say what a written caption does to its photo. `weight` is how much
    the stories count in the fit.
    """

    evidence: Sequence[Mapping[str, Evidence]]
    moods: Float64Array | None = None
    sides: Int64Array | None = None
    kinds: Sequence[str] = ()
    weight: float = 1.0

    def targets(self, fusion: Fusion) -> list[MoodTarget]:
        return [fused(one, fusion) for one in self.evidence]

    def loss(self, fusion: Fusion) -> float:
        """Return the mean negative log likelihood of moods or sides, in nats."""
        targets = self.targets(fusion)
        means = np.array([(target.valence, target.energy) for target in targets])
        spreads = np.array([target.spread for target in targets])
        if self.moods is not None:
            off = self.moods - means
            distance = np.einsum("ni,nij,nj->n", off, np.linalg.inv(spreads), off)
            return float((distance + np.log(np.linalg.det(spreads))).mean() / 2 + np.log(2 * np.pi))
        assert self.sides is not None  # noqa: S101 - one of the two is given
        sd = np.sqrt(np.diagonal(spreads, axis1=1, axis2=2))
        likely = norm.logcdf(self.sides * (means - MUSIC_MEAN) / sd)
        return -float(likely[self.sides != 0].mean())


def rated_photos(seen: Seen, scenes: Sequence[Gaussian], ratings: Float64Array) -> Told:
    """Return rated photos without a caption; `scenes` are from models that don't know them."""
    moods = PHOTOS.mean + np.sqrt(PHOTOS.covariance.diagonal()) * ratings
    each = zip(seen.tags, scenes, strict=True)
    return Told([evidence(statements(**tags, scene=scene)) for tags, scene in each], moods=moods)


def written_stories(
    split: str, names: Sequence[str], seen: Seen, scenes: Sequence[Gaussian]
) -> Told:
    """Return the written stories of a split; `names` are those of the photos seen."""
    with WRITTEN.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    place = {name: number for number, name in enumerate(names)}
    readings = read_captions([row["caption"] for row in rows])
    told = []
    for row, reading in zip(rows, readings, strict=True):
        photo = place[row["photo"]]
        caption = None if is_empty(row["caption"]) else reading.mood
        said = statements(**seen.tags[photo], scene=scenes[photo], caption=caption)
        told.append(evidence(said))
    sides = np.array([(int(row["valence_side"]), int(row["energy_side"])) for row in rows])
    return Told(told, sides=sides, kinds=[row["kind"] for row in rows])


def composed_stories(stories: Sequence[Story]) -> Told:
    """Return stories composed of labelled parts, without the scene.

    Their mood is drawn from a label, so it knows nothing of the photo that the action is in.
    """
    told = []
    for story in stories:
        said = {name: one for name, one in story.said().items() if name != "scene"}
        told.append(evidence(said))
    return Told(told, moods=np.array([story.mood for story in stories]), weight=COMPOSED)
