"""Rank tracks for a story's mood and a listener. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ml.mood import MoodTarget
from recommender import selectors
from recommender.engine.reasons import reason_sentences
from recommender.engine.rerank import Pick, rerank, story_noise
from recommender.engine.scoring import lift_own, score_terms, total
from recommender.engine.steering import MATCH, steer
from recommender.engine.tracks.content import FloatArray
from recommender.models import Track
from recommender.ranking import candidate_sources
from recommender.ranking.listener import Listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.shortlist import Shortlist, shortlist


@dataclass(frozen=True)
class RankedTrack:
    """One place of a ranking."""

    rank: int
    """From 1."""
    track: Track
    score: float
    terms: dict[str, float]
    """Weighted terms; their sum is the score."""
    propensity: float
    """Probability of this track at this rank, given the tracks ranked before it."""
    steering: float

    @property
    def reasons(self) -> list[str]:
        return reason_sentences(
            self.terms,
            valence=self.track.valence,
            energy=self.track.energy,
            steering=self.steering,
        )


@dataclass(frozen=True)
class Ranking:
    """A ranked list, best first, and what produced it."""

    tracks: list[RankedTrack]
    model_version: str
    steering: float


def rank_tracks(
    *,
    listener: Listener,
    story_id: UUID,
    mood: MoodTarget,
    n: int = 10,
    steering: float = MATCH,
    music: MusicScope = MusicScope.MIX,
) -> Ranking:
    """Rank up to `n` tracks. Writes nothing.

    `steering` in [0, 1] moves the mood (`engine.steering`); the listener's filters leave tracks
    out, and `music` says whether they want their own. The same story gets the same random draw.
    """
    target = steer(mood.gaussian, steering)
    weights, model_version = selectors.ranking_weights()
    pool = candidate_sources.gather(
        listener=listener, story_id=story_id, mood=target, weights=weights, music=music
    )
    terms = score_terms(pool.features, mood=target, taste=listener.taste, weights=weights)
    lift_own(terms, pool.features, n)
    scores = total(terms)
    listed = shortlist(pool, scores)
    picks = _rerank(listed, scores, story_id, n)
    return Ranking(_ranked(picks, listed, scores, terms, steering), model_version, steering)


def _rerank(listed: Shortlist, scores: FloatArray, story_id: UUID, n: int) -> list[Pick]:
    return rerank(
        scores[listed.rows],
        artists=listed.artists,
        songs=listed.songs,
        n=n,
        noise=story_noise(story_id.int >> 64, listed.words, n),
        genres=listed.genres,
        years=listed.years,
    )


def _ranked(
    picks: list[Pick],
    listed: Shortlist,
    scores: FloatArray,
    terms: Mapping[str, FloatArray],
    steering: float,
) -> list[RankedTrack]:
    tracks = Track.objects.in_bulk([listed.ids[pick.row] for pick in picks])
    ranked = []
    for rank, pick in enumerate(picks, start=1):
        row = listed.rows[pick.row]
        ranked.append(
            RankedTrack(
                rank=rank,
                track=tracks[listed.ids[pick.row]],
                score=float(scores[row]),
                terms={name: round(float(values[row]), 6) for name, values in terms.items()},
                propensity=pick.propensity,
                steering=steering,
            )
        )
    return ranked
