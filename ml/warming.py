"""Load every model and run it once, so that the first story doesn't wait."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

from PIL import Image

OnPart = Callable[[int, int], None]

_GREY = Image.new("RGB", (320, 240), (127, 127, 127))


def _ignore(loaded: int, parts: int) -> None: ...


def import_runtimes() -> None:
    """Import the models' libraries, which takes about as long as loading the models.

    This loads no model and starts no threads, so the process may still fork.
    """
    from ml.networks import import_keras

    import_keras()
    import ml.analysis  # noqa: F401


def _network(name: str) -> None:
    import ml.action.blocks  # noqa: F401  its layers are in the file of "action"
    from ml.networks import run_once

    run_once(name)


def _faces() -> None:
    from ml.faces.detection import detect, likeness
    from ml.faces.people import regression

    regression()
    detect(_GREY)
    likeness(_GREY)


def _backbone() -> None:
    from ml.action.backbone import encode, preprocess

    encode([preprocess(_GREY)])


def _scene() -> None:
    from ml.action.backbone import preprocess
    from ml.scene.backbone import encode
    from ml.scene.predict import process

    process()
    encode([preprocess(_GREY)])


def _caption() -> None:
    from ml.caption.network import run

    run(["warm"])


_PYTHON: Mapping[str, Callable[[], None]] = {
    "emotion": partial(_network, "emotion"),
    "action": partial(_network, "action"),
}
_NATIVE: Mapping[str, Callable[[], None]] = {
    "faces": _faces,
    "backbone": _backbone,
    "scene": _scene,
    "caption": _caption,
}
PARTS = ("runtimes", *_PYTHON, *_NATIVE)


def warm(on_part: OnPart = _ignore) -> None:
    """Load all PARTS; call `on_part` with how many are loaded and how many there are.

    Call it after a fork, in the process that analyses: threads don't survive a fork. Loading our
    own networks holds the GIL, loading the others releases it, so the two run in parallel. Raises
    ModelsMissing if a model file is missing.
    """
    number = count()

    def note() -> None:
        on_part(next(number), len(PARTS))

    note()
    import_runtimes()
    note()
    with ThreadPoolExecutor(1, "warming") as beside:
        native = beside.submit(_load, _NATIVE, note)
        _load(_PYTHON, note)
        native.result()


def _load(parts: Mapping[str, Callable[[], None]], note: Callable[[], None]) -> None:
    for load in parts.values():
        load()
        note()
