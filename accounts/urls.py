from django.contrib.auth import views as auth_views
from django.urls import path

from accounts import address_views, views

app_name = "accounts"

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-up/", address_views.sign_up, name="sign_up"),
    path("mail-sent/", address_views.mail_sent, name="mail_sent"),
    path("confirm/", address_views.choose_password, name="choose_password"),
    path("confirm/<token>/", address_views.open_link, name="open_link"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign_out"),
    path("notice/", views.notice, name="notice"),
    path("spotify/connect/", views.connect_spotify, name="connect_spotify"),
    path("spotify/disconnect/", views.disconnect_spotify, name="disconnect_spotify"),
    path("password/", address_views.password, name="password"),
    path("password/change/", views.ChangePassword.as_view(), name="password_change"),
    path("password/reset/", address_views.password_reset, name="password_reset"),
    path("password/reset/sent/", address_views.password_reset_sent, name="password_reset_sent"),
    path(
        "password/reset/<uidb64>/<token>/",
        views.ConfirmPasswordReset.as_view(),
        name="password_reset_confirm",
    ),
    path("tokens/", views.make_token, name="make_token"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
    path("export/", views.export, name="export"),
    path("delete/", views.delete, name="delete"),
]
