"""Pictures that show none of the actions, from folders of sample images and from drawings.

The two parts share no source: the familiarity score is chosen on `development` and reported on
`test`.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, UnidentifiedImageError

from ml.images import eight_bit
from ml.types import Float64Array

Rng = np.random.Generator

LABEL = "none"
SIDE = 224
MIN_SIDE = 60
"""Minimum shorter side in pixels of a sample image, which leaves out icons and test patterns."""

DRAWN_EACH = 12
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
PAPER = (245, 228, 196, 160)


def rows(
    folders: Iterable[tuple[str, Path]], split: str, drawn: Iterable[str]
) -> list[dict[str, Any]]:
    """Return rows `image`, `label`, `split`, `source`, `file` of folders and of kinds of DRAWINGS.

    Folders come with the name of their source. Raises ValueError for a folder without a picture.
    """
    result = []
    for source, folder in folders:
        photos = [_row(photo, split, source, name) for name, photo in pictures(folder)]
        if not photos:
            raise ValueError(f"{folder} holds no picture of {MIN_SIDE} pixels or more")
        result += photos
    for kind in drawn:
        for n in range(DRAWN_EACH):
            picture = DRAWINGS[kind](np.random.default_rng([n, len(kind)]))
            result.append(_row(picture, split, f"drawn: {kind}", f"{kind}-{n}"))
    return result


def pictures(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """Yield the name and the picture of every image file, in the order of names.

    Transparent parts become paper of a grey that depends on the place in that order. Files that
    differ only in a suffix such as _3840x2160 are all taken.
    """
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    for place, file in enumerate(files):
        try:
            with Image.open(file) as opened:
                photo = eight_bit(opened)
                photo.load()
        except (UnidentifiedImageError, OSError):
            continue
        if min(photo.size) >= MIN_SIDE:
            yield str(file.relative_to(folder)), _on_paper(photo, PAPER[place % len(PAPER)])


def _on_paper(photo: Image.Image, grey: int) -> Image.Image:
    if photo.mode not in ("RGBA", "LA", "PA", "P"):
        return photo.convert("RGB")
    paper = Image.new("RGBA", photo.size, (grey, grey, grey, 255))
    return Image.alpha_composite(paper, photo.convert("RGBA")).convert("RGB")


def _row(photo: Image.Image, split: str, source: str, name: str) -> dict[str, Any]:
    scale = min(1.0, SIDE / min(photo.size))
    small = photo.resize((round(photo.width * scale), round(photo.height * scale)))
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=90)
    return {
        "image": stream.getvalue(),
        "label": LABEL,
        "split": split,
        "source": source,
        "file": name,
    }


def _field(rng: Rng, cells: int) -> Float64Array:
    """Return (240, 320) smooth random values in [0, 1] with about `cells` bumps a side."""
    rough = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(rough.resize((320, 240), Image.Resampling.BICUBIC)) / 255


def _coloured(values: Float64Array, rng: Rng) -> Image.Image:
    first, second = rng.integers(0, 256, (2, 3))
    return Image.fromarray((first + values[..., None] * (second - first)).astype(np.uint8))


def gradient(rng: Rng) -> Image.Image:
    x, y = np.meshgrid(np.linspace(-1, 1, 320), np.linspace(-1, 1, 240))
    angle = rng.uniform(0, 2 * np.pi)
    return _coloured((np.cos(angle) * x + np.sin(angle) * y + 1.5) / 3, rng)


def stripes(rng: Rng) -> Image.Image:
    x, y = np.meshgrid(np.arange(320), np.arange(240))
    angle, width = rng.uniform(0, np.pi), rng.uniform(8, 40)
    return _coloured(((np.cos(angle) * x + np.sin(angle) * y) // width % 2), rng)


def checks(rng: Rng) -> Image.Image:
    x, y = np.meshgrid(np.arange(320), np.arange(240))
    side = rng.integers(8, 60)
    return _coloured(((x // side + y // side) % 2).astype(np.float64), rng)


def cloth(rng: Rng) -> Image.Image:
    fine = rng.random((240, 320)) * 0.4
    return _coloured(0.6 * _field(rng, int(rng.integers(3, 40))) + fine, rng)


def clouds(rng: Rng) -> Image.Image:
    values = sum(_field(rng, cells) / n for n, cells in enumerate((3, 7, 19, 45), start=1))
    return _coloured(np.clip(np.asarray(values) / 2, 0, 1), rng)


def landscape(rng: Rng) -> Image.Image:
    picture = Image.new("RGB", (320, 240), tuple(rng.integers(120, 250, 3)))
    draw = ImageDraw.Draw(picture)
    x, y = int(rng.integers(20, 300)), int(rng.integers(20, 90))
    draw.ellipse((x - 18, y - 18, x + 18, y + 18), fill=(255, 240, int(rng.integers(90, 220))))
    for k in range(3):
        heights = 100 + 40 * k + 35 * (_field(rng, 5 + 3 * k)[0] - 0.5)
        line = [(x, float(h)) for x, h in enumerate(heights)]
        draw.polygon([(0, 240), *line, (320, 240)], fill=tuple(rng.integers(20, 200 - 40 * k, 3)))
    return picture


def beach(rng: Rng) -> Image.Image:
    horizon, shore = int(rng.integers(70, 110)), int(rng.integers(150, 190))
    picture = Image.new("RGB", (320, 240), (150, 200, int(rng.integers(220, 255))))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, horizon, 320, 240), fill=(20, int(rng.integers(90, 160)), 170))
    edge = [(x, float(shore + 12 * h)) for x, h in enumerate(_field(rng, 6)[0])]
    draw.polygon([(0, 240), *edge, (320, 240)], fill=(225, 200, int(rng.integers(120, 170))))
    return picture


def plate(rng: Rng) -> Image.Image:
    picture = cloth(rng)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 20, 260, 220), fill=(244, 244, 240), outline=(200, 200, 195))
    draw.ellipse((85, 45, 235, 195), outline=(215, 215, 210), width=3)
    for _ in range(rng.integers(4, 12)):
        x, y, r = (int(n) for n in rng.integers((110, 70, 6), (210, 170, 26)))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.integers(40, 230, 3)))
    return picture


def page(rng: Rng) -> Image.Image:
    picture = Image.new("RGB", (320, 240), (250, 249, 244))
    draw = ImageDraw.Draw(picture)
    for y in range(20, 220, int(rng.integers(10, 18))):
        x = 20
        while x < 290:
            width = int(rng.integers(8, 40))
            draw.rectangle((x, y, min(300, x + width), y + 4), fill=(60, 60, 60))
            x += width + 7
    return picture


def chart(rng: Rng) -> Image.Image:
    picture = Image.new("RGB", (320, 240), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.line((30, 15, 30, 215, 305, 215), fill=(0, 0, 0), width=2)
    for k in range(rng.integers(4, 10)):
        top = int(rng.integers(30, 205))
        draw.rectangle((40 + 27 * k, top, 58 + 27 * k, 214), fill=tuple(rng.integers(0, 220, 3)))
    return picture


DRAWINGS: dict[str, Callable[[Rng], Image.Image]] = {
    drawing.__name__: drawing
    for drawing in (
        *(gradient, stripes, checks, cloth, clouds),
        *(landscape, beach, plate, page, chart),
    )
}
DEVELOPMENT: Sequence[str] = ("stripes", "clouds", "landscape", "page")
HOLDOUT: Sequence[str] = tuple(kind for kind in DRAWINGS if kind not in DEVELOPMENT)


def smoke() -> list[Image.Image]:
    """Return three drawings whose predictions are kept in the manifest.

    With them a test without data notices if the file, the framework or the preprocessing isn't the
    one that was measured.
    """
    return [DRAWINGS[kind](np.random.default_rng(0)) for kind in ("landscape", "plate", "page")]
