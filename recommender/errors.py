"""Errors of the recommender; their messages are shown to people."""


class RecommenderError(Exception):
    """The recommender can't do what was asked; the message says why."""


class TrackNotFoundError(RecommenderError):
    """The track doesn't exist."""


class SuggestionNotFoundError(RecommenderError):
    """The suggestion doesn't exist or wasn't shown to this person."""


class ImportFailedError(RecommenderError):
    """A catalogue file can't be read at all; single bad rows don't raise this."""


class UnknownEncodingError(ImportFailedError):
    """The encoding of a text file can't be told."""


class FactorsUnusableError(RecommenderError):
    """Collaborative factors can't be loaded or served; the message says what to do."""


class NothingToLearnError(RecommenderError):
    """There are too few choices to train collaborative factors on."""
