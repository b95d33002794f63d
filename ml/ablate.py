"""Measure what each modality adds: `python -m ml.ablate`. See ml.evaluation.mood.ablation."""

from ml.evaluation.mood.ablation import main

if __name__ == "__main__":
    raise SystemExit(main())
