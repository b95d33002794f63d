from django.urls import path

from recommender.api import FeedbackView, TrackSearchView

urlpatterns = [
    path("tracks/", TrackSearchView.as_view(), name="tracks"),
    path(
        "suggestions/<uuid:suggestion_id>/feedback/",
        FeedbackView.as_view(),
        name="suggestion-feedback",
    ),
]
