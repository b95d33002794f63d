"""Why a review is refused; `str()` is for reviewers, `code` for programs."""

from __future__ import annotations

from stories.errors import StoryError


class ReviewError(StoryError):
    code = "review_error"


class NotAReviewerError(ReviewError):
    code = "not_a_reviewer"

    def __init__(self) -> None:
        super().__init__(
            "You may not review tags. Ask an administrator to put you into “Tag reviewers”."
        )


class UnknownQueueError(ReviewError):
    code = "unknown_queue"

    def __init__(self) -> None:
        super().__init__("There is no such queue. Please choose one of those listed.")


class ItemGoneError(ReviewError):
    code = "item_gone"

    def __init__(self) -> None:
        super().__init__(
            "This photo is no longer there: its owner deleted it, or no longer lets staff review "
            "it. Nothing was saved; please go on with the next one."
        )


class ItemTakenError(ReviewError):
    code = "item_taken"

    def __init__(self) -> None:
        super().__init__(
            "Somebody else has taken this photo. Nothing was saved; please go on with the next one."
        )


class AlreadyReviewedError(ReviewError):
    code = "already_reviewed"

    def __init__(self) -> None:
        super().__init__(
            "You have already reviewed this photo. To change your answer, undo it first."
        )


class OwnItemError(ReviewError):
    code = "own_item"

    def __init__(self, of_what: str) -> None:
        super().__init__(f"You can't review your own {of_what}. Please go on with the next one.")


class SeenBeforeError(ReviewError):
    code = "seen_before"

    def __init__(self) -> None:
        super().__init__(
            "You have seen the model's tags of this photo, so you can't check it blind. "
            "Please go on with the next one."
        )


class UnknownAnswerError(ReviewError):
    code = "unknown_answer"

    def __init__(self, question: str) -> None:
        super().__init__(f"There is no such answer for “{question}”. Nothing was saved.")


class NoAnswerError(ReviewError):
    code = "no_answer"

    def __init__(self) -> None:
        super().__init__("Please answer at least one question, or skip the photo.")


class NothingToUndoError(ReviewError):
    code = "nothing_to_undo"

    def __init__(self) -> None:
        super().__init__(
            "There is nothing to undo: only your last ten reviews can be taken back, for a while. "
            "Blind checks can't, nor what somebody gave a second opinion on."
        )


class NotInBulkError(ReviewError):
    code = "not_in_bulk"

    def __init__(self) -> None:
        super().__init__("Audit photos and blind checks have to be answered one by one.")
