"""Photos for the browser tests, made from the landscape on the home page."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

SCENE = Path(__file__).parents[2] / "static" / "img" / "scene.webp"


def lake_at_dusk(folder: Path) -> Path:
    """A JPEG as phones write it: rotated by EXIF, with a location that must be removed."""
    photo = Image.open(SCENE).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    path = folder / "IMG_2041.jpg"
    photo.save(path, "JPEG", quality=88, exif=exif)
    return path


def lake_by_day(folder: Path) -> Path:
    photo = ImageOps.mirror(Image.open(SCENE).convert("RGB"))
    path = folder / "IMG_2042.png"
    ImageEnhance.Brightness(photo).enhance(1.5).save(path, "PNG")
    return path
