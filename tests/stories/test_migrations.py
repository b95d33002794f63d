"""Data migrations of stories."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from stories.selectors import get_story
from tests.factories import make_ready_story

face_labels = import_module("stories.migrations.0008_face_labels")


@pytest.mark.django_db
def test_faces_without_a_label_get_the_one_that_was_shown() -> None:
    story = make_ready_story()
    sure, unsure = {"happy": 0.6, "sad": 0.4}, {"happy": 0.5, "sad": 0.5}
    story.analysis.faces = [
        {"box": [0, 0, 1, 1], "probabilities": sure, "weight": 0.5},
        {"box": [0, 0, 1, 1], "probabilities": unsure, "weight": 0.4},
        {"box": [0, 0, 1, 1], "probabilities": unsure, "weight": 0.1, "label": "sad"},
    ]
    story.analysis.save()
    for _ in range(2):
        face_labels.store_labels(apps, None)
        faces = get_story(story.user, story.pk).analysis.faces
        assert [face["label"] for face in faces] == ["happy", "uncertain", "sad"]
