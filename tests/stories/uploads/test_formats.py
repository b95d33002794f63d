"""Everything that names the accepted upload types takes them from `stories.uploads.formats`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from stories.uploads.formats import ACCEPTED, PHOTO, VIDEO, Medium, UploadFormat

ROOT = Path(__file__).resolve().parents[3]
READERS = (
    "stories/pages/views.py",
    "stories/api/serializers.py",
    "stories/management/commands/suggest.py",
    "templates/stories/new.html",
    "static/js/upload.js",
)
ENTRIES = [(medium, one) for medium in (PHOTO, VIDEO) for one in medium.formats]
EXAMPLES = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WebP": b"RIFF\0\0\0\0WEBP",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "MP4": b"\0\0\0\x18ftypisom",
    "MOV": b"\0\0\0\x14ftypqt  ",
    "AVIF": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B",
    "GIF": b"GIF89a\1\0\1\0",
    "MKV": b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska",
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm",
}


@pytest.fixture
def page(user: User, client: Client) -> str:
    client.force_login(user)
    return client.get("/stories/new/").content.decode()


@pytest.mark.parametrize(("medium", "entry"), ENTRIES)
def test_every_type_reaches_the_page_and_its_script(
    page: str, medium: Medium, entry: UploadFormat
) -> None:
    hint = re.search(r'id="drop-hint">(.*?)</span>', page, re.DOTALL)
    assert hint
    assert entry.name in hint.group(1)
    kind = "photo" if medium is PHOTO else "video"
    for attribute in (" accept", f"data-{kind}-accept"):
        listed = re.search(rf'{attribute}="([^"]*)"', page)
        assert listed
        assert {*entry.mime_types, *entry.extensions} <= set(listed.group(1).split(","))


@pytest.mark.parametrize(("medium", "entry"), ENTRIES)
def test_every_type_reaches_the_api_and_the_command(
    db: None, medium: Medium, entry: UploadFormat
) -> None:
    schema = APIClient().get("/api/schema/?format=json").json()
    told = json.dumps(schema["components"]["schemas"]["UploadRequest"])
    assert entry.name in told
    assert f"{medium.megabytes} MB" in told
    assert medium.resolution in told
    usage = load_command_class("stories", "suggest").create_parser("manage.py", "suggest")
    assert entry.name in usage.format_help()


@pytest.mark.parametrize(("medium", "entry"), ENTRIES)
def test_every_type_is_recognised_as_itself_alone(medium: Medium, entry: UploadFormat) -> None:
    example = EXAMPLES[entry.name]
    assert medium.detect(example) is entry
    assert [one for _, one in ENTRIES if one.matches(example)] == [entry]


@pytest.mark.parametrize("name", READERS)
def test_no_reader_has_a_list_of_its_own(name: str) -> None:
    assert not re.search(
        r"heic|webp|avif|matroska|quicktime|\bMOV\b", (ROOT / name).read_text(), re.IGNORECASE
    )


def test_the_readme_names_every_type_and_limit() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    for medium in (PHOTO, VIDEO):
        assert medium.names in readme
        assert f"{medium.megabytes} MB and {medium.resolution}" in readme
    assert f"{VIDEO.max_seconds} seconds" in readme


def test_names_in_words() -> None:
    assert (
        ACCEPTED
        == "a photo (JPEG, PNG, WebP, HEIC, AVIF or GIF) or a video (MP4, MOV, WebM or MKV)"
    )
    assert PHOTO.max_bytes == 40 * 1024 * 1024
