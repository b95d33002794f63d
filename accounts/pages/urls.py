"""URLs of the account pages."""

from django.contrib.auth import views as auth_views
from django.urls import path

from accounts.pages import addresses, spotify, views

app_name = "accounts"

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-up/", addresses.sign_up, name="sign_up"),
    path("mail-sent/", addresses.mail_sent, name="mail_sent"),
    path("confirm/", addresses.choose_password, name="choose_password"),
    path("confirm/<token>/", addresses.open_link, name="open_link"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign_out"),
    path("notice/", views.notice, name="notice"),
    path("improve/", views.improve, name="improve"),
    path("spotify/connect/", spotify.connect_spotify, name="connect_spotify"),
    path("spotify/allow/<str:purpose>/", spotify.allow, name="spotify-allow"),
    path("spotify/withdraw/<str:purpose>/", spotify.withdraw, name="spotify-withdraw"),
    path("spotify/disconnect/", spotify.disconnect_spotify, name="disconnect_spotify"),
    path("password/", addresses.password, name="password"),
    path("password/change/", views.ChangePassword.as_view(), name="password_change"),
    path("password/reset/", addresses.password_reset, name="password_reset"),
    path("password/reset/sent/", addresses.password_reset_sent, name="password_reset_sent"),
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
