"""Named evidence columns for each track and person.

`evaluation.blend` fits a log-probability to them. None depends on the mood, which has a likelihood
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine import als
from recommender.engine.cold_start import fit_cold_start
from recommender.engine.evaluation import ease, item_knn
from recommender.engine.evaluation.data import Dataset, IntArray, shared
from recommender.engine.item_similarity import together_scores
from recommender.engine.taste import Taste, taste_scores
from recommender.engine.tracks.content import FloatArray

ALS = als.Settings(n_factors=128, confidence=9.0, regularisation=30.0)
# Weights of the side-information rows, and exponents that down-weight large rows. All constants
# here were tuned on held-out parts of the training interactions.
_ARTIST, _ALBUM, _GENRE, _SOUND = 3.0, 3.0, 3.0, 1.0
_BIG_ARTIST, _BIG_GENRE = 0.25, 0.5
# A floor under scores before their logarithm.
_LITTLE = 0.003
_YEARS_APART = 6.0
_UNSURE_OF_GENRE = 5.0

COLUMNS = (
    "collective",
    "collective_log",
    "affinity",
    "together",
    "taste",
    "popular",
    "fame",
    "fame_known",
    "artist",
    "artist_known",
    "album",
    "genre",
    "era",
    "title",
)


@dataclass(frozen=True)
class Trained:
    """What rankers may use: the training interactions and the tracks' metadata."""

    data: Dataset
    choices: Any
    """CSR (n_users, n_items): the training interactions."""

    @cached_property
    def counts(self) -> FloatArray:
        """(n_items,): people who have each item."""
        counts: FloatArray = np.asarray(self.choices.sum(axis=0), dtype=np.float64).ravel()
        return counts

    @cached_property
    def popularity(self) -> FloatArray:
        """(n_items,) in [0, 1]: log counts divided by the maximum."""
        logs: FloatArray = np.log1p(self.counts)
        logs /= logs.max()
        return logs

    @cached_property
    def artist_popularity(self) -> FloatArray:
        """(n_items,): log of the mean number of people per track of the item's artists."""
        credits = self.data.artists
        per_artist = (credits.T @ self.counts) / (1.0 + np.asarray(credits.sum(axis=0)).ravel())
        n_artists = np.maximum(np.asarray(credits.sum(axis=1)).ravel(), 1.0)
        logs: FloatArray = np.log1p((credits @ per_artist) / n_artists)
        return logs

    @cached_property
    def genre_share(self) -> FloatArray:
        """(n_genres,): share of each genre in all interactions."""
        counts: FloatArray = self.data.genres.T @ self.counts + 1.0
        counts /= counts.sum()
        return counts

    @cached_property
    def neighbours(self) -> NDArray[np.float32]:
        """(n_users, n_items): summed item similarity to the user's items."""
        return item_knn.scores(self.choices)

    @cached_property
    def ease(self) -> NDArray[np.float32]:
        """(n_users, n_items): scores of EASE on the interactions alone."""
        return ease.linear_scores(self.choices, ease.PLAIN)

    @cached_property
    def collective(self) -> NDArray[np.float32]:
        """(n_users, n_items): scores of EASE with rows for artists, albums, genres and sound."""
        return ease.linear_scores(self.choices, ease.COLLECTIVE, _sides(self.data))

    @cached_property
    def factors(self) -> als.TrackFactors:
        """The items' ALS factors, zero for items that nobody has."""
        return als.train(self.choices, settings=ALS)

    @cached_property
    def vectors(self) -> als.Factors:
        """(n_items, n_factors): ALS vectors, with cold-start predictions for new tracks."""
        vectors, is_known = self.factors.vectors.copy(), self.counts > 0
        if is_known.all():
            return vectors
        known, new = np.flatnonzero(is_known), np.flatnonzero(~is_known)
        credited, content = self.data.credited, self.data.content
        start = fit_cold_start(vectors[known], [credited[int(i)] for i in known], content[known])
        vectors[new] = start.vectors([credited[int(i)] for i in new], content[new])
        return vectors

    @cached_property
    def gram(self) -> als.Factors:
        """(n_factors, n_factors): what folding a user into the factors needs."""
        return self.factors.gram()

    @cached_property
    def title_words(self) -> Any:
        """CSR (n_users, n_words): TF-IDF of the words of titles, each row of length one."""
        words = shared(title.split() for title in self.data.titles)
        rarity = np.log(words.shape[0] / np.maximum(words.sum(axis=0), 1.0))
        weighted = words.multiply(rarity).tocsr()
        lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1))
        return weighted.multiply(1.0 / np.maximum(lengths, _LITTLE)).tocsr()

    def titled(self, user: int) -> FloatArray:
        """(n_items,): log of what lists with similar titles have, then of what many have."""
        if not self.data.titles:
            return np.zeros(self.data.n_items)
        similar = self.title_words @ self.title_words[user].toarray().ravel()
        scores: FloatArray = np.log(_LITTLE + self.choices.T @ similar + self.popularity * _LITTLE)
        return scores

    def saved_by(self, user: int) -> IntArray:
        """The user's items in the training interactions."""
        saved: IntArray = self.choices.indices[
            self.choices.indptr[user] : self.choices.indptr[user + 1]
        ]
        return saved

    def affinity(self, user: int) -> FloatArray:
        """(n_items,): inner products with the user folded in, as in production."""
        person = als.fold_in(self.gram, self.factors.vectors[self.saved_by(user)], ALS)
        return (self.vectors @ person).astype(np.float64)

    def taste(self, user: int) -> FloatArray:
        """(n_items,): log-likelihood ratio of the content vectors."""
        saved, content = self.saved_by(user), self.data.content
        known = Taste(content[saved].mean(axis=0), len(saved)) if len(saved) else Taste.unknown()
        return taste_scores(content, known)


def train(data: Dataset) -> Trained:
    """Train on these interactions only; each model is fitted lazily."""
    from scipy import sparse

    ones = np.ones(len(data.users), dtype=np.float32)
    shape = (data.n_users, data.n_items)
    return Trained(data, sparse.csr_matrix((ones, (data.users, data.items)), shape))


def evidence(trained: Trained, user: int) -> FloatArray:
    """(n_items, len(COLUMNS)): the evidence for each track and this user."""
    data, saved = trained.data, trained.saved_by(user)
    collective = trained.collective[user].astype(np.float64)
    fame = np.nan_to_num(data.fame, nan=0.0)
    columns = {
        "collective": collective,
        "collective_log": np.log(_LITTLE + np.maximum(collective, 0.0)),
        "affinity": trained.affinity(user),
        "together": together_scores(trained.neighbours[user].astype(np.float64)),
        "taste": trained.taste(user),
        "popular": trained.popularity,
        "fame": fame,
        "fame_known": np.isfinite(data.fame).astype(np.float64),
        "artist": np.log1p(_shared_with(data.artists, saved)),
        "artist_known": trained.artist_popularity,
        "album": np.log1p(_shared_with(data.albums, saved)),
        "genre": _genre(trained, saved),
        "era": _era(data.years, saved),
        "title": trained.titled(user),
    }
    return np.stack([columns[name] for name in COLUMNS], axis=1)


def _sides(data: Dataset) -> Any:
    """CSR (n_sides, n_items): artists, albums, genres and content as side information."""
    from scipy import sparse

    def rows(shared: Any, weight: float, power: float) -> Any:
        sizes = np.asarray(shared.sum(axis=0)).ravel()
        kept = sizes > 1
        return sparse.diags(weight * sizes[kept] ** -power) @ shared.T.tocsr()[kept]

    sound = sparse.csr_matrix(_SOUND * data.content.T / np.sqrt(data.content.shape[1]))
    return sparse.vstack(
        [
            rows(data.artists, _ARTIST, _BIG_ARTIST),
            rows(data.albums, _ALBUM, _BIG_ARTIST),
            rows(data.genres, _GENRE, _BIG_GENRE),
            sound,
        ],
        format="csr",
    )


def _shared_with(shared: Any, saved: IntArray) -> FloatArray:
    """(n_items,): saved items that share an artist (album, ...) with each item."""
    saved_counts = np.asarray(shared[saved].sum(axis=0)).ravel()
    return np.asarray(shared @ saved_counts, dtype=np.float64).ravel()


def _genre(trained: Trained, saved: IntArray) -> FloatArray:
    """(n_items,): log ratio of the genre's share for this person to its overall share."""
    genres, everybody = trained.data.genres, trained.genre_share
    saved_counts = np.asarray(genres[saved].sum(axis=0)).ravel()
    share = (saved_counts + _UNSURE_OF_GENRE * everybody) / (saved_counts.sum() + _UNSURE_OF_GENRE)
    return np.asarray(genres @ np.log(share / everybody), dtype=np.float64).ravel()


def _era(years: FloatArray, saved: IntArray) -> FloatArray:
    """(n_items,) in [0, 1]: kernel density of the item's year among the saved items' years."""
    saved_years = years[saved]
    saved_years = saved_years[np.isfinite(saved_years)]
    if len(saved_years) == 0:
        return np.zeros(len(years))
    calendar = np.unique(years[np.isfinite(years)])
    distance = (calendar[:, None] - saved_years[None, :]) / _YEARS_APART
    near = np.exp(-0.5 * distance**2).mean(axis=1)
    era: FloatArray = np.where(np.isfinite(years), np.interp(years, calendar, near), near.mean())
    return era
