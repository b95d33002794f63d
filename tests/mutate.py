"""Mutation testing: puts small faults into the modules of mutation.toml, one at a time, and counts
how many of them the module's own tests notice.

cosmic-ray finds and makes the faults. Each is tried in a fork of this process, which has imported
the large libraries already; the faulty module is served from memory, so no file ever changes.
"""

from __future__ import annotations

import argparse
import ast
import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Every core has a fault to try; threads below that only get in the way.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

ROOT = Path(__file__).resolve().parent.parent
CONFIG = Path(__file__).with_name("mutation.toml")
# What the tests import that is large and not ours; a fork has it for nothing.
LIBRARIES = (
    *("numpy", "scipy.optimize", "scipy.sparse", "scipy.stats", "hypothesis", "pytest", "PIL"),
    *("implicit.cpu.als", "django.db.models", "django.test", "celery", "kombu", "redis", "psycopg"),
    *("httpx", "cryptography.fernet", "rest_framework", "_hypothesis_pytestplugin"),
)
LONGEST_SECONDS = 120
"""A fault that keeps its tests busy for longer, an endless loop, is a fault noticed."""
STARRED = ("parameters", "dictorsetmaker")
"""Where parso's tree has the stars of (*, key) and of {**one, **other}, which compute nothing."""
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Module:
    """A module and its tests; one entry of mutation.toml."""

    path: str
    tests: tuple[str, ...]
    survivors: dict[str, str] = field(default_factory=dict)
    """A faulty line as it reads without its indent -> why no test notices it."""
    database: bool = False


@dataclass(frozen=True)
class Fault:
    """One module with one operator exchanged."""

    module: Module
    line: int
    was: str
    now: str
    source: str

    def order(self, seed: int) -> bytes:
        """A sort key for a random order that changes elsewhere in the code don't affect."""
        return hashlib.sha256(f"{seed} {self.module.path} {self.was} {self.now}".encode()).digest()


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    config = tomllib.loads(CONFIG.read_text())
    modules = [Module(**entry) for entry in config["module"]]
    if options.modules:
        modules = [one for one in modules if any(part in one.path for part in options.modules)]
    faults = [fault for one in modules for fault in faults_in(one, config["exchange"])]
    if options.sample:
        faults = sorted(faults, key=lambda fault: fault.order(options.seed))[: options.sample]
    started = time.monotonic()
    unnoticed = try_all(faults, options.jobs)
    _tell(faults, unnoticed, seconds=time.monotonic() - started)
    return _judge(faults, unnoticed, config["floor"], drawn=bool(options.sample))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of module paths (default: all)")
    parser.add_argument("--sample", type=int, help="draw this many faults instead of all")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


# --- The faults -----------------------------------------------------------------------------------


def faults_in(module: Module, exchanges: Sequence[str]) -> list[Fault]:
    """All faults of a module, in the order of its lines."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    source = (ROOT / module.path).read_text()
    annotated, faults = _annotation_lines(source), []
    for operator in map(_operator, exchanges):
        nodes = ast_nodes(get_ast(source))
        places = [(node, start) for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (node, start) in enumerate(places):
            mutated = mutate_code(source, operator, occurrence)
            is_star = node.parent is not None and node.parent.type in STARRED
            if start not in annotated and not is_star and _compiles(mutated):
                faults.append(_fault(module, start[0], source, mutated))
    return sorted(faults, key=lambda fault: fault.line)


def _fault(module: Module, line: int, source: str, mutated: str) -> Fault:
    was, now = (text.splitlines()[line - 1].strip() for text in (source, mutated))
    return Fault(module, line, was, now, mutated)


def _operator(exchange: str) -> Any:
    """cosmic-ray's operator of that name, or ours for assignments, which it leaves alone."""
    from cosmic_ray.plugins import get_operator

    if exchange.startswith("assign "):
        return _AssignmentOperator(*exchange.split()[1:])
    return get_operator(f"core/{exchange}")()


class _AssignmentOperator:
    """Exchanges one augmented assignment for another, as cosmic-ray's operators do for others."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        if node.type == "operator" and node.value == self._old:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        node.value = self._new
        return node


def _annotation_lines(source: str) -> set[tuple[int, int]]:
    """Every place (line, column) inside a type annotation, where nothing is computed."""
    places: set[tuple[int, int]] = set()
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            if inside := getattr(node, name, None):
                first, last = inside.lineno, inside.end_lineno
                for line in range(first, last + 1):
                    start = inside.col_offset if line == first else 0
                    end = inside.end_col_offset if line == last else 1000
                    places |= {(line, column) for column in range(start, end)}
    return places


def _compiles(source: str) -> bool:
    """Whether the changed source is valid Python."""
    try:
        compile(source, "", "exec")
    except SyntaxError:
        return False
    return True


# --- Trying them ----------------------------------------------------------------------------------


def try_all(faults: Sequence[Fault], jobs: int) -> list[Fault]:
    """Return the faults that the tests missed; SystemExit if tests fail without a fault."""
    importlib.import_module("tests")
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()
    modules = {fault.module.path: fault.module for fault in faults}.values()
    with _services(jobs, wanted=any(module.database for module in modules)) as folders:
        _check_tests_pass(list(modules), folders)
        return list(_unnoticed(list(faults), folders))


@contextmanager
def _services(jobs: int, *, wanted: bool) -> Iterator[list[Path]]:
    """A folder for each job, where its tests keep one database and one Redis from run to run."""
    folders = [Path(tempfile.mkdtemp(prefix="mu-", dir="/tmp")) for _ in range(jobs)]
    try:
        yield folders
    finally:
        for folder in folders:
            if wanted:
                stop = [sys.executable, "-m", "storify_site.local", "stop"]
                subprocess.run(stop, env={**os.environ, "VAR_DIR": str(folder)}, check=False)
            shutil.rmtree(folder, ignore_errors=True)


def _check_tests_pass(modules: Sequence[Module], folders: Sequence[Path]) -> None:
    """Check that all tests pass without a fault; this also creates each job's database."""
    plain = folders[0] / "plain"
    plain.mkdir()
    runs = []
    for folder, database in [(plain, False), *((folder, True) for folder in folders)]:
        of_group = [module for module in modules if module.database == database]
        if tests := tuple(dict.fromkeys(test for module in of_group for test in module.tests)):
            runs.append((FORK.Process(target=_run_tests, args=(tests, database, folder)), folder))
    for run, _ in runs:
        run.start()
    for run, folder in runs:
        run.join()
        if run.exitcode != 0:
            sys.exit((folder / "output").read_text() + "\nThese tests fail without a fault.")


def _unnoticed(faults: list[Fault], folders: Sequence[Path]) -> Iterator[Fault]:
    """Try the faults, one per folder at a time."""
    waiting, running = faults[::-1], dict[Path, tuple[Any, Fault, float]]()
    while waiting or running:
        for folder in [one for one in folders if one not in running][: len(waiting)]:
            fault = waiting.pop()
            run = FORK.Process(target=_try, args=(fault, folder))
            run.start()
            running[folder] = run, fault, time.monotonic() + LONGEST_SECONDS
        multiprocessing.connection.wait([run.sentinel for run, *_ in running.values()], timeout=1)
        for folder, (run, fault, deadline) in list(running.items()):
            if time.monotonic() > deadline:
                _end(run.pid)
            elif run.exitcode is None:
                continue
            run.join()
            del running[folder]
            if run.exitcode == 0:
                _tell_unnoticed(fault)
                yield fault


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _try(fault: Fault, folder: Path) -> None:
    """In a fork: run the module's tests with the fault in it."""
    name = fault.module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    sys.meta_path.insert(0, _Faulty(name, fault))
    _run_tests(fault.module.tests, fault.module.database, folder)


class _Faulty(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds one module and loads its faulty source instead of what the file holds."""

    def __init__(self, name: str, fault: Fault) -> None:
        super().__init__(name, str(ROOT / fault.module.path))
        self._source = fault.source

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, _fullname: str) -> types.CodeType:
        return compile(self._source, self.path, "exec")


def _run_tests(tests: Sequence[str], database: bool, folder: Path) -> None:
    """In a fork: run the tests and exit as pytest does."""
    import hypothesis
    import pytest

    os.setsid()
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # The same cases every time, and none too slow: a busy machine is no fault noticed. What the
    # simplest failing case is nobody asks.
    hypothesis.settings.register_profile(
        "mutate", derandomize=True, database=None, deadline=None, max_examples=30,
        suppress_health_check=[*hypothesis.HealthCheck],
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )  # fmt: skip
    options = ["-x", "-q", "--hypothesis-profile=mutate", "-p", "no:cacheprovider"]
    if database:
        os.environ["STORIFY_TEST_SERVICES"] = str(folder)
        options += ["--reuse-db"]
    else:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options += ["-p", "_hypothesis_pytestplugin", "-p", "no:unraisableexception"]
        options += ["--assert=plain", "--noconftest", f"--rootdir={ROOT}", "-c", os.devnull]
    code = pytest.main([*options, *tests])
    sys.stdout.flush()
    os._exit(int(code))


# --- What came of it ------------------------------------------------------------------------------


def _tell_unnoticed(fault: Fault) -> None:
    """Print the fault as a diff of its line, with its reason."""
    why = fault.module.survivors.get(fault.now, "NO REASON GIVEN")
    change = f"  - {fault.was}\n  + {fault.now}"
    print(f"{fault.module.path}:{fault.line}: {why}\n{change}", flush=True)


def _tell(faults: Sequence[Fault], unnoticed: Sequence[Fault], *, seconds: float) -> None:
    """Print the score by module."""
    made, missed = _by_module(faults), _by_module(unnoticed)
    print(f"\n{'module':<40}{'faults':>8}{'noticed':>9}{'score':>8}")
    for path, n in [*made.items(), ("all", len(faults))]:
        noticed = n - (len(unnoticed) if path == "all" else missed[path])
        print(f"{path:<40}{n:>8}{noticed:>9}{noticed / n:>8.3f}")
    print(f"{seconds:.0f} s")


def _judge(
    faults: Sequence[Fault], unnoticed: Sequence[Fault], floor: float, *, drawn: bool
) -> int:
    """Return 0 if enough faults are noticed: in the whole sample, else in every module."""
    if drawn:
        return int(1 - len(unnoticed) / len(faults) < floor)
    made, missed = _by_module(faults), _by_module(unnoticed)
    left = {(fault.module.path, fault.now) for fault in unnoticed}
    wrong = [f"{path}: below {floor}" for path, n in made.items() if 1 - missed[path] / n < floor]
    for module in {fault.module.path: fault.module for fault in faults}.values():
        of_module = {now for path, now in left if path == module.path}
        wrong += [f"{module.path}: no reason for {now}" for now in of_module - {*module.survivors}]
        wrong += [f"{module.path}: is noticed: {now}" for now in {*module.survivors} - of_module]
    print("\n".join(wrong))
    return int(bool(wrong))


def _by_module(faults: Sequence[Fault]) -> Counter[str]:
    return Counter(fault.module.path for fault in faults)


if __name__ == "__main__":
    sys.exit(main())
