"""Who may import whom, read from the syntax trees, and what the web process must not carry."""

import ast
import json
import os
import subprocess
import sys
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
# Within an app a module imports its own layer and those with a smaller number.
LAYERS = {
    "models": 1,
    "selectors": 2,
    "services": 3,
    "tasks": 4,
    "admin": 4,
    "management": 4,
    "views": 4,
    "urls": 5,
}


def modules(folder: str) -> list[Path]:
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in p.parts]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """The full names that a file imports: `from a import b` gives `a.b`."""
    tree = ast.parse(path.read_text())
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


def is_within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def layer(name: str) -> int | None:
    """The layer of `app.module…`; None for modules that stand beside the layers."""
    parts = name.split(".")
    if len(parts) < 2:
        return None
    if parts[1].startswith("api") or parts[1].endswith("views"):
        return 4
    return LAYERS.get(parts[1])


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
