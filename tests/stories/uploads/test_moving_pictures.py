"""GIF and AVIF, still and moving."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stories.services.uploads import read_upload
from stories.uploads.videos import kind_of
from tests.stories.uploads.test_transcoding import assert_like, corners, kept


def moving(kind: str, colours: tuple[str, ...] = ("red", "lime", "blue"), **options: Any) -> bytes:
    out, pictures = io.BytesIO(), [Image.new("RGB", (64, 48), name) for name in colours]
    rest = pictures[1:]
    pictures[0].save(out, kind, save_all=True, append_images=rest, duration=100, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "AVIF"])
def test_a_moving_picture_is_a_short_video(kind: str, tmp_path: Path) -> None:
    rate, pictures = kept(moving(kind), tmp_path)
    assert (len(pictures), rate) == (3, Fraction(10))
    assert [int(picture.mean((0, 1)).argmax()) for picture in pictures] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["GIF", "AVIF"])
def test_a_moving_picture_that_is_uploaded_is_taken(kind: str) -> None:
    upload = read_upload(io.BytesIO(moving(kind)))
    assert upload.seconds == pytest.approx(0.3, abs=0.01)


def test_a_still_gif_or_avif_is_a_photo() -> None:
    for kind in ("GIF", "AVIF"):
        out = io.BytesIO()
        corners().save(out, kind)
        assert kind_of(out) is None


def test_a_transparent_gif_stands_on_white(tmp_path: Path) -> None:
    out, clear = io.BytesIO(), Image.new("RGBA", (64, 48))
    dot = clear.copy()
    dot.paste("red", (0, 0, 32, 48))
    clear.save(out, "GIF", save_all=True, append_images=[dot], duration=100, disposal=2)
    _, pictures = kept(out.getvalue(), tmp_path)
    assert pictures[0].mean() > 250
    assert_like(pictures[1][:, 32:], Image.new("RGB", (64, 48), "white"), 30)
