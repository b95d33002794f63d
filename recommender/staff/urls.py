"""URLs of the staff pages about the catalogue."""

from django.urls import path

from recommender.staff import views

app_name = "recommender_staff"
urlpatterns = [path("intensity/", views.intensity, name="intensity")]
