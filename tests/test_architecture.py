"""Layers, sizes of folders and files, and what web processes must not import."""

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("storify_site", "stories", "recommender", "accounts", "ml")
APPS = ("stories", "recommender", "accounts")

# Every package that another one may import, by prefix. Nothing else of the project is allowed.
ALLOWED = {
    "storify_site": ("stories", "recommender", "accounts", "ml"),
    "stories": ("recommender", "accounts", "ml"),
    "recommender": ("accounts", "ml.mood"),
    "accounts": (),
    "ml": (),
}
WITHOUT_DJANGO = ("ml", "recommender/engine")
HEAVY = ("tensorflow", "keras", "cv2", "onnxruntime", "torch", "sklearn")
# Within an app a module imports its own layer and those named before it. The longest prefix of a
# module's name counts, and every module has to be under one of them.
LAYERS: dict[str, dict[str, tuple[str, ...]]] = {
    "accounts": {
        "support": (
            *("encryption", "fields", "login_throttle", "long_jobs", "personal_data"),
            *("templatetags", "transactions", "web"),
            *("spotify.app", "spotify.budget", "spotify.circuit_breaker", "spotify.errors"),
            *("spotify.replies", "spotify.scopes", "spotify.types"),
        ),
        "models": ("models",),
        "selectors": ("selectors",),
        "services": ("backends", "mail", "services", "spotify.client", "spotify.tokens"),
        "interface": (
            *("admin", "api", "checks", "management", "pages", "tasks"),
            *("spotify.error_pages", "spotify.oauth", "spotify.pipeline", "spotify.sandbox"),
        ),
        "wiring": ("apps", "api.urls", "pages.urls", "spotify.sandbox.urls"),
    },
    "recommender": {
        "support": (
            *("binary_rows", "catalogue.demo", "catalogue.languages", "catalogue.release_years"),
            *("engine", "errors"),
        ),
        "models": ("models",),
        "selectors": (
            *("catalogue.demo_tracks", "catalogue.importing", "catalogue.search"),
            *("catalogue.shared_tracks", "library.selectors"),
            *("factors.files", "factors.selectors", "locks", "ranking", "selectors"),
        ),
        "services": (
            *("catalogue.audio", "catalogue.feature_providers", "catalogue.reccobeats"),
            "catalogue.spotify_search",
            *("factors", "library", "personal_data", "services"),
        ),
        "interface": (
            *("admin", "api", "management", "pages", "sandbox", "staff", "tasks", "templatetags"),
        ),
        "wiring": ("apps", "api.urls", "pages.urls", "sandbox.urls", "staff.urls"),
    },
    "stories": {
        "support": (
            *("errors", "uploads", "workers.heartbeat", "workers.model_status"),
            *("registry.errors", "review.answers", "review.errors"),
        ),
        "models": ("models",),
        "selectors": (
            *("registry.files", "registry.selectors", "review.progress"),
            *("review.selectors", "saving.selectors", "selectors", "survey.selectors"),
        ),
        "services": (
            *("personal_data", "registry.services", "review.export"),
            *("review.services", "saving.services", "saving.spotify", "saving.work"),
            *("services", "survey.services"),
        ),
        "interface": (
            *("admin", "api", "management", "pages", "registry", "review", "saving", "survey"),
            *("tasks", "workers.lost_workers"),
        ),
        "wiring": ("apps", "api.urls", "pages.urls", "registry.urls", "review.urls"),
    },
}
# What `python -m` starts on a developer's machine; nothing of it runs in a worker.
ML_OFFLINE = ("ml.training", "ml.evaluation")
ML_ENTRIES = ("ml.ablate", "ml.evaluate", "ml.prepare")
MOST_FILES, MOST_LINES = 15, 350


def modules(folder: str) -> list[Path]:
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in p.parts]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """The full names that a file imports: `from a import b` gives `a.b`."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not is_for_types_only(node)]
    nodes = tree.body if top_level_only else ast.walk(tree)
    package = (
        module_name(path) if path.name == "__init__.py" else module_name(path.parent / "x")[:-2]
    )
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, *filter(None, [node.module])]) if node.level else node.module
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_for_types_only(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def is_within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def layer(name: str) -> int | None:
    """The place of `app.module…` among its app's layers; None where no prefix fits."""
    app, _, rest = name.partition(".")
    fitting = [
        (len(prefix), place)
        for place, prefixes in enumerate(LAYERS[app].values())
        for prefix in prefixes
        if is_within(rest, prefix)
    ]
    return max(fitting)[1] if fitting else None


def is_package_only(path: Path) -> bool:
    """Whether the file makes a folder a package and imports nothing."""
    return path.name == "__init__.py" and not [*imports(path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_downwards(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        if any(is_within(name, other) for other in PACKAGES if other != package)
        and not any(is_within(name, allowed) for allowed in ALLOWED[package])
    ]

    assert wrong == []


@pytest.mark.parametrize("folder", WITHOUT_DJANGO)
def test_numeric_code_knows_nothing_of_django(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if any(is_within(name, framework) for framework in ("django", "rest_framework", "celery"))
    ]

    assert wrong == []


@pytest.mark.parametrize("app", APPS)
def test_every_module_of_an_app_has_a_layer(app: str) -> None:
    unknown = [
        module_name(path)
        for path in modules(app)
        if layer(module_name(path)) is None and not is_package_only(path)
    ]

    assert unknown == []


@pytest.mark.parametrize("app", APPS)
def test_modules_of_an_app_import_only_lower_layers(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(app)
        for name in imports(path)
        if is_within(name, app)
        and (mine := layer(module_name(path))) is not None
        and (theirs := layer(name)) is not None
        and theirs > mine
    ]

    assert wrong == []


def test_what_runs_in_a_worker_imports_no_training_and_no_evaluation() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("ml")
        if not any(is_within(module_name(path), part) for part in (*ML_OFFLINE, *ML_ENTRIES))
        for name in imports(path)
        if any(is_within(name, part) for part in ML_OFFLINE)
    ]

    assert wrong == []


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_folders_and_files_are_small_enough_to_find_one_s_way(package: str) -> None:
    files = modules(package)
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder, count in Counter(path.parent for path in files).items()
        if count > MOST_FILES
    }
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }

    assert (crowded, long) == ({}, {})


def test_heavy_analysis_is_imported_only_inside_functions() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for package in ("storify_site", *APPS)
        for path in modules(package)
        for name in imports(path, top_level_only=True)
        if any(is_within(name, heavy) for heavy in ("ml.analysis", *HEAVY))
    ]

    assert wrong == []


def test_reading_imports_sees_every_form(tmp_path: Path) -> None:
    folder = ROOT / "stories"
    assert "stories.models.Story" in set(imports(folder / "selectors.py"))
    assert not set(imports(folder / "selectors.py")) & {"stories.services"}


def test_web_process_does_not_load_the_models_libraries() -> None:
    program = (
        "import json, sys, storify_site.wsgi; from django.urls import get_resolver;"
        "from django.core import checks; checks.run_checks(); get_resolver().url_patterns;"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "storify_site.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))

    assert {"django", "stories", "recommender"} <= loaded
    assert loaded.isdisjoint(HEAVY)
