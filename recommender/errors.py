"""What can go wrong here, in words for people."""


class RecommenderError(Exception):
    """Something asked of the recommender cannot be done; the message says why."""


class TrackNotFoundError(RecommenderError):
    """There is no such track."""


class SuggestionNotFoundError(RecommenderError):
    """There is no such suggestion among those shown to this person."""


class ImportFailedError(RecommenderError):
    """A catalogue file cannot be read at all; single bad rows are not this."""


class FactorsUnusableError(RecommenderError):
    """Collaborative factors cannot be taken in; the message says what to do."""


class NothingToLearnError(RecommenderError):
    """There are no choices yet that collaborative factors could be trained on."""
