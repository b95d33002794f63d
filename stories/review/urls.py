from django.urls import path

from stories.review import photos, views
from stories.review.figures import views as figures

app_name = "review"
urlpatterns = [
    path("", views.queues, name="queues"),
    path("figures/", figures.figures, name="figures"),
    path("figures/figures.csv", figures.figures_csv, name="figures_csv"),
    path("<uuid:item_id>/photo.jpg", photos.photo, name="photo"),
    path("<uuid:item_id>/thumbnail.jpg", photos.thumbnail, name="thumbnail"),
]
