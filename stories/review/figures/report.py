"""All figures about one question of the reviews."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from accounts.models import User
from ml.calibration import Bin, calibration_error, reliability
from ml.labels import UNCERTAIN
from ml.review.agreement import cohen_kappa, krippendorff_alpha
from ml.review.classification import class_scores, confusion
from ml.review.estimates import Estimate, corrected, estimate
from stories.models import Analysis, Reason, TagEvent
from stories.pages.presenters import display_name
from stories.review.figures.cases import (
    Case,
    Question,
    cases,
    independent_answers,
    known_answers,
    question_of,
)
from stories.review.figures.drift import drift_by_week
from stories.review.figures.stages import stages
from stories.review.figures.tables import Matrix, Row, Table, matrix

AUDIT = """From photos drawn at random only. A photo is right if the tag that its owner was shown is
 what the reviewer says; photos for which the model named nothing count as withheld."""
CORRECTED = """The same, allowing for slips: how often reviewers are right about known answers,
 with slips spread evenly over the other classes. Not known where reviewers agree with the model
 more often than they can be right: then what the model shows sways them."""
BINS = 10
OTHERS = """Not the model's accuracy: these photos were chosen because something looked wrong, and
 the first ones reviewed are the most doubtful. Each answer is weighted by how likely its photo
 was to be drawn; an estimate speaks for its own queue only."""


@dataclass(frozen=True)
class Report:
    """The figures of a question; matrix, bins and ece are those of one version's audit sample."""

    question: Question
    version: str
    versions: list[str]
    tables: list[Table]
    matrix: Matrix | None
    bins: list[Bin]
    ece: float | None
    alpha: float | None
    units: int

    @property
    def bins_n(self) -> int:
        return sum(one.n for one in self.bins)


def report(viewer: User, about: str = "", version: str = "") -> Report:
    """The figures about a question and a model version: by default emotions, and the newest."""
    question = question_of(about)
    found = cases(question)
    versions = list(dict.fromkeys(case.version for case in found))
    chosen = version if version in versions else next(iter(versions), "")
    audit = [case for case in found if case.reason == Reason.AUDIT]
    mine = [case for case in audit if case.version == chosen]
    stated = [case for case in mine if case.top is not None]
    bins = reliability([c.confidence for c in stated], [c.top == c.answer for c in stated], BINS)
    units = independent_answers(question)
    called = _names(viewer)
    return Report(
        question=question,
        version=chosen,
        versions=versions,
        tables=[
            *_accuracy(question, audit, versions),
            _others(found),
            _classes(question, mine),
            _pairs(units, called),
            _gold(question, called),
            _overrides(),
            drift_by_week(question, chosen),
            stages(),
        ],
        matrix=_matrix(question, mine),
        bins=bins,
        ece=calibration_error(bins) if bins else None,
        alpha=krippendorff_alpha([list(unit.values()) for unit in units]),
        units=len(units),
    )


def _accuracy(question: Question, audit: list[Case], versions: list[str]) -> list[Table]:
    skill = estimate([right for _, right in known_answers(question)])
    plain, slips = [], []
    for version in versions:
        mine = [case for case in audit if case.version == version]
        agreed = _share(mine)
        withheld = sum(case.said == UNCERTAIN for case in mine)
        plain.append(Row((version, withheld), agreed))
        if agreed and skill:
            slips.append(Row((version,), corrected(agreed, skill, len(question.classes))))
    return [
        Table("accuracy", "Accuracy", AUDIT, ("Model version", "Withheld"), plain),
        Table("corrected", "Accuracy, allowing for slips", CORRECTED, ("Model version",), slips),
    ]


def _share(found: Sequence[Case]) -> Estimate | None:
    named = [case for case in found if case.said != UNCERTAIN]
    return estimate(
        [case.said == case.answer for case in named],
        [case.inclusion for case in named],
        [case.story_id for case in named],
    )


def _others(found: list[Case]) -> Table:
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in found:
        if case.reason != Reason.AUDIT:
            groups[Reason(case.reason).label, case.version].append(case)
    rows = [
        Row((queue.capitalize(), version), _share(groups[queue, version]))
        for queue, version in sorted(groups)
    ]
    title = "Re-weighted estimates from the other queues"
    return Table("queues", title, OTHERS, ("Queue", "Model version"), rows)


def _classes(question: Question, mine: list[Case]) -> Table:
    scores = class_scores([c.answer for c in mine], [c.said for c in mine], question.classes)
    rows = [
        Row((display_name(one.name).capitalize(), one.precision, one.recall, one.f1, one.n))
        for one in scores
        if mine
    ]
    note = "From the random audit of the chosen version; n is how often reviewers name the class."
    columns = ("Class", "Precision", "Recall", "F1", "n")
    return Table("classes", "Each class", note, columns, rows, measured=False)


def _matrix(question: Question, mine: list[Case]) -> Matrix | None:
    if not mine:
        return None
    columns = (*question.classes, UNCERTAIN) if question.name == "faces" else question.classes
    answers, said = [case.answer for case in mine], [case.said for case in mine]
    counts = confusion(answers, said, question.classes, columns).tolist()
    return matrix(question.classes, columns, counts)


def _pairs(units: list[dict[int, str]], called: Callable[[int | None], str]) -> Table:
    answers: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for unit in units:
        for one, other in combinations(sorted(unit), 2):
            answers[one, other].append((unit[one], unit[other]))
    rows = []
    for (one, other), both in sorted(answers.items()):
        left, right = zip(*both, strict=True)
        rows.append(Row((called(one), called(other), cohen_kappa(left, right), len(both))))
    note = "Cohen’s κ of every two reviewers, from blind second opinions and known answers."
    columns = ("Reviewer", "Reviewer", "κ", "n")
    return Table("kappa", "Agreement of reviewers", note, columns, rows, measured=False)


def _gold(question: Question, called: Callable[[int | None], str]) -> Table:
    answers: dict[int, list[bool]] = defaultdict(list)
    for reviewer, right in known_answers(question):
        if reviewer is not None:
            answers[reviewer].append(right)
    rows = [Row((called(who),), estimate(right)) for who, right in sorted(answers.items())]
    note = "How often each reviewer gives the known answer."
    return Table("gold", "Reviewers against known answers", note, ("Reviewer",), rows)


def _overrides() -> Table:
    stories = Analysis.objects.count()
    events = TagEvent.objects.filter(source=TagEvent.Source.OWNER)
    changed = {
        tag: events.filter(tag=tag, story__analysis__isnull=False).values("story").distinct()
        for tag in ("emotion", "action", "mood")
    }
    rows = []
    for tag, found in changed.items() if stories else ():
        count = found.count()
        rows.append(
            Row((tag.capitalize(), count), estimate([True] * count + [False] * (stories - count)))
        )
    note = "Of all analysed stories, those whose owner ever changed the tag. All model versions."
    columns = ("Tag", "Changed")
    return Table("overrides", "Changed by owners", note, columns, rows)


def _names(viewer: User) -> Callable[[int | None], str]:
    """How reviewers are called: of others only a number is shown, unless to superusers."""
    people = User.objects.filter(reviews__isnull=False).distinct().order_by("pk")
    known = dict(people.values_list("pk", "email"))
    names = {pk: f"Reviewer {at}" for at, pk in enumerate(known, 1)}
    shown = known if viewer.is_superuser else names

    def called(pk: int | None) -> str:
        return "You" if pk == viewer.pk else shown.get(pk or 0) or "Somebody"

    return called
