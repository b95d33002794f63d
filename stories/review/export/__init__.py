"""Export of reviews as data to train and measure with."""

from stories.review.export.dataset import export_reviews
from stories.review.export.files import ExportError, verify_export

__all__ = ["ExportError", "export_reviews", "verify_export"]
