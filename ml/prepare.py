"""Build the training data from the downloads: `python -m ml.prepare`. See ml.training.prepare."""

from ml.training.prepare import main

if __name__ == "__main__":
    main()
