"""Rows that candidates are trained on and compared with, batch by batch."""

import logging

import numpy as np
import pytest

from ml.training.candidate import rows


def test_batches_cover_every_row_once() -> None:
    numbers = np.arange(10)
    parts = [numbers[part] for part in rows.batches(10, 4, "counting")]
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.concatenate(parts).tolist() == numbers.tolist()
    assert list(rows.batches(0, 4, "counting")) == []


def test_a_long_step_says_how_far_it_is(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 4.0, 12.0, 20.0])
    monkeypatch.setattr(rows, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, logger=rows.__name__):
        list(rows.batches(30, 10, "candidate on the public set"))
    assert caplog.messages == [
        "candidate on the public set: 20 of 30 rows, about 6 s left",
        "candidate on the public set: 30 of 30 rows, about 0 s left",
    ]
