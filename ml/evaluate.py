"""Measure a shipped model: `python -m ml.evaluate MODEL --data FILE`. See ml.evaluation.measure."""

from ml.evaluation.measure import main

if __name__ == "__main__":
    raise SystemExit(main())
