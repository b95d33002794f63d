"""URLs of the review pages."""

from django.urls import path

from stories.review import bulk, photos, views
from stories.review.figures import views as figures

app_name = "review"
urlpatterns = [
    path("", views.queues, name="queues"),
    path("next/", views.review, name="next"),
    path("undo/", views.undo, name="undo"),
    path("accept/", bulk.accept, name="accept"),
    path("<uuid:item_id>/answer/", views.answer, name="answer"),
    path("<uuid:item_id>/skip/", views.skip, name="skip"),
    path("figures/", figures.figures, name="figures"),
    path("figures/figures.csv", figures.figures_csv, name="figures_csv"),
    path("figures/photos/", figures.figures_photos, name="figures_photos"),
    path("<uuid:item_id>/photo.jpg", photos.photo, name="photo"),
    path("<uuid:item_id>/thumbnail.jpg", photos.thumbnail, name="thumbnail"),
    path("<uuid:item_id>/video", photos.video, name="video"),
]
