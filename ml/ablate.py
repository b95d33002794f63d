"""Measure what each modality adds: `python -m ml.ablate`. See ml.evaluation.ablation."""

from ml.evaluation.ablation import main

if __name__ == "__main__":
    raise SystemExit(main())
