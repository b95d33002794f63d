from django.urls import path

from stories.review import photos, views

app_name = "review"
urlpatterns = [
    path("", views.queues, name="queues"),
    path("<uuid:item_id>/photo.jpg", photos.photo, name="photo"),
    path("<uuid:item_id>/thumbnail.jpg", photos.thumbnail, name="thumbnail"),
]
