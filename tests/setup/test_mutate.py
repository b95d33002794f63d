"""The faults that `make mutate` tries, and the files in its list."""

import tomllib
from pathlib import Path

from tests.mutate import CONFIG, ROOT, Module, faults_in

EXCHANGE = tomllib.loads(CONFIG.read_text())["exchange"]
MODULES = [Module(**entry) for entry in tomllib.loads(CONFIG.read_text())["module"]]
SOURCE = '''\
def share(*, one: int | None, other: int = 0, **more: int) -> float | None:
    """One / (one + other)."""
    total = {**more}
    if one is None or other < 0:
        return -1.0
    other += 1
    return one / (one + other)
'''


def faults_of(source: str, folder: Path) -> set[str]:
    (folder / "module.py").write_text(source)
    return {fault.now for fault in faults_in(Module(str(folder / "module.py"), (), {}), EXCHANGE)}


def test_faults_are_in_operators_and_not_in_annotations_or_stars(tmp_path: Path) -> None:
    assert faults_of(SOURCE, tmp_path) == {
        "if one is not None or other < 0:",
        "if one is None and other < 0:",
        "if one is None or other <= 0:",
        "if one is None or other >= 0:",
        "return 1.0",
        "other -= 1",
        "return one * (one + other)",
        "return one / (one - other)",
    }


def test_every_file_named_exists_and_every_reason_is_of_a_fault() -> None:
    for module in MODULES:
        assert all((ROOT / path).is_file() for path in (module.path, *module.tests))
        changes = (
            {fault.now for fault in faults_in(module, EXCHANGE)} if module.survivors else set()
        )
        assert changes >= {*module.survivors}


def test_no_module_of_the_engine_is_left_out() -> None:
    named = {ROOT / module.path for module in MODULES}
    commands = {"__init__.py", "evaluate.py"}
    engine = {*(ROOT / "recommender/engine").glob("*.py")}
    assert {path for path in engine - named if path.name not in commands} == set()
