"""Plot learning curves for the model cards."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def pyplot() -> Any:
    """Return matplotlib's pyplot, set to draw to files; only training and cards need it."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def plot(curves: Mapping[str, Sequence[float]], path: Path, title: str) -> None:
    """Write a PNG with one panel per curve, named by its key; the first epoch is 1."""
    plt = pyplot()
    figure, panels = plt.subplots(1, len(curves), figsize=(4 * len(curves), 3), squeeze=False)
    for panel, (name, values) in zip(panels[0], curves.items(), strict=True):
        panel.plot(range(1, len(values) + 1), values)
        panel.set(title=name, xlabel="epoch")
        panel.grid(alpha=0.3)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
