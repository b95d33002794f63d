"""Queries on the registry of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, QuerySet

from accounts.models import User
from ml.manifest import manifest
from ml.serving.files import FORMATS
from stories.models import ModelEvent, ModelVersion, ShadowDifference

Status = ModelVersion.Status
OLD = (Status.RETIRED, Status.REFUSED)
TRAINABLE = tuple(FORMATS)
SETS = {"public": "the frozen public test set", "audit": "the reviewed audit photos"}

MISSING = {
    "public": "name the folder of the public data (STORIFY_DATA) and train again",
    "audit": "nothing was audited yet of the people kept for testing",
}


# Keys of the cache, by name of the model; the second also by since when the training waits.
TRAINING, CANCELLED = "training:{}", "training-cancelled:{}:{}"


@dataclass(frozen=True)
class TrainingRun:
    """A training that waits or runs; `progress` is empty until it has begun."""

    since: datetime
    progress: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def may_promote(user: User) -> bool:
    """Whether a user may decide about models: staff with `stories.promote_models`."""
    return user.is_staff and user.is_active and user.has_perm("stories.promote_models")


def training_run(name: str) -> TrainingRun | None:
    """The training of this model that waits or runs."""
    kept = cache.get(TRAINING.format(name))
    return TrainingRun(**kept) if kept else None


def models_in_use() -> list[ModelVersion]:
    """What serves or runs in shadow mode, over all names: one indexed query."""
    return list(ModelVersion.objects.filter(status__in=[Status.SERVING, Status.SHADOW]))


def serving_version(name: str) -> ModelVersion | None:
    """The version that serves in the place of the shipped model."""
    return ModelVersion.objects.filter(name=name, status=Status.SERVING).first()


def serving_name(name: str) -> str:
    """The version that serves, as analyses note it."""
    serving = serving_version(name)
    return serving.version if serving else str(manifest()["models"][name]["version"])


def versions() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.select_related("created_by", "promoted_by", "replaced").annotate(
        differences=Count("shadow_differences")
    )


def objections(version: ModelVersion) -> list[str]:
    """Why the version may be worse than what serves, in sentences; none if it isn't shown to be.

    It isn't worse on a test set if the lower end of the 95 % interval of the difference in
    accuracy is above minus STORIES_PROMOTION_MARGIN.
    """
    found = [_objection(version, key) for key in SETS]
    serving = serving_name(version.name)
    if version.compared_with != serving:
        found.append(f"It was compared with {version.compared_with}, but {serving} serves now.")
    return [objection for objection in found if objection]


def _objection(version: ModelVersion, key: str) -> str:
    pair = version.comparison.get(key)
    if not pair:
        return f"It wasn't compared on {SETS[key]}: {MISSING[key]}."
    margin = settings.STORIES_PROMOTION_MARGIN
    if pair["low"] > -margin:
        return ""
    return (
        f"On {SETS[key]} ({pair['n']}) it may be worse by {-100 * pair['low']:.1f} percentage "
        f"points; at most {100 * margin:.1f} are allowed."
    )


def events(limit: int = 30) -> QuerySet[ModelEvent]:
    return ModelEvent.objects.select_related("actor")[:limit]


def shadow_pairs(version: ModelVersion) -> Sequence[Mapping[str, Any]]:
    """How often which label of the serving model met which one of this version, most first."""
    rows = ShadowDifference.objects.filter(version=version).values("serving", "shadow")
    return list(rows.annotate(photos=Count("pk")).order_by("-photos", "serving", "shadow")[:10])


def page() -> Iterator[dict[str, Any]]:
    """What the page of models shows, by name."""
    by_name: dict[str, list[ModelVersion]] = {}
    for version in versions():
        by_name.setdefault(version.name, []).append(version)
    for name in TRAINABLE:
        known = sorted(by_name.get(name, []), key=lambda one: one.status != Status.SERVING)
        shipped = str(manifest()["models"][name]["version"])
        yield {
            "name": name,
            "shipped": shipped,
            "training": training_run(name),
            "serving": next((v.version for v in known if v.status == Status.SERVING), shipped),
            "rows": [_shown(one) for one in known if one.status not in OLD],
            "old_rows": [_shown(one) for one in known if one.status in OLD],
        }


def trainings() -> Iterator[dict[str, Any]]:
    """What the page shows of every training, by name."""
    for name in TRAINABLE:
        yield {"name": name, "training": training_run(name)}


def _shown(version: ModelVersion) -> dict[str, Any]:
    promotable = version.status in (Status.CANDIDATE, Status.SHADOW)
    return {
        "version": version,
        "pairs": [
            {"title": title, "figures": _percentages(version.comparison.get(key))}
            for key, title in SETS.items()
        ],
        "objections": objections(version) if promotable else [],
        "promotable": promotable,
        "shadow_pairs": shadow_pairs(version) if version.shadow_photos else [],
    }


def _percentages(pair: dict[str, Any] | None) -> dict[str, str] | None:
    if not pair:
        return None
    signed = {key: f"{100 * pair[key]:+.1f}" for key in ("difference", "low", "high")}
    plain = {key: f"{100 * pair[key]:.1f}%" for key in ("serving", "candidate")}
    return {**plain, **signed, "n": str(pair["n"]), "p": f"{pair['p']:.3f}"}
