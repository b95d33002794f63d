"""Paths and links in the documents exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = (
    "accounts",
    "docs",
    "ml",
    "recommender",
    "stories",
    "storify_site",
    "templates",
    "tests",
)
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_PATH = re.compile(r"`((?:" + "|".join(PACKAGES) + r")/[\w./-]+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_and_links_in_a_document_exist(document: Path) -> None:
    text = document.read_text()
    missing = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in _LINK.findall(text) if not (document.parent / link).exists()]

    assert missing == []


def test_documents_name_many_paths() -> None:
    assert sum(len(_PATH.findall(document.read_text())) for document in DOCUMENTS) > 30
