"""The registry of models: candidates trained from reviews, promotion, taking back, shadow mode."""
