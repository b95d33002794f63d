"""Pages about a person: signing up and in, the notice about faces, the account."""

import tempfile
from typing import BinaryIO, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from social_django.views import auth as begin_social_auth

from accounts import selectors, services
from accounts.forms import (
    TAKEN,
    ApiTokenForm,
    DeleteAccountForm,
    FacesConsentForm,
    PasswordSignInForm,
    SignInForm,
    SignUpForm,
)
from accounts.models import User

PASSWORD_BACKEND = "accounts.backends.PasswordBackend"  # noqa: S105


def _me(request: HttpRequest) -> User:
    """The signed-in person; only behind login_required."""
    return cast(User, request.user)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, which may be nothing at all; None while it is only looked at."""
    return request.POST if request.method == "POST" else None


def _next(request: HttpRequest, default: str) -> str:
    """Where the person was going, if that is a page of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else resolve_url(default)


class SignIn(auth_views.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@never_cache
def sign_up(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = SignUpForm(_sent(request))
    if form.is_valid() and (user := _signed_up(form)):
        login(request, user, backend=PASSWORD_BACKEND)
        goal = urlencode({"next": _next(request, settings.LOGIN_REDIRECT_URL)})
        return redirect(f"{reverse('accounts:notice')}?{goal}")
    context = {"form": form, "next": request.GET.get("next", "")}
    return render(request, "accounts/sign_up.html", context)


def _signed_up(form: SignUpForm) -> User | None:
    data = form.cleaned_data
    try:
        return services.sign_up(email=data["email"], password=data["password1"])
    except services.EmailTaken:
        form.add_error("email", TAKEN)
        return None


@login_required
def notice(request: HttpRequest) -> HttpResponse:
    """Says that emotion is estimated from faces, and asks whether that is wanted."""
    form = FacesConsentForm(_sent(request))
    goal = _next(request, settings.LOGIN_REDIRECT_URL)
    if form.is_valid():
        services.record_faces_consent(user=_me(request), agreed=form.cleaned_data["agreed"])
        return redirect(goal)
    return render(request, "accounts/notice.html", {"form": form, "next": goal})


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    context = {
        "spotify": selectors.spotify_account(user),
        "has_password": selectors.has_password_sign_in(user),
        "tokens": selectors.active_api_tokens(user),
        "token_form": ApiTokenForm(),
    }
    return render(request, "accounts/account.html", context)


@never_cache
def connect_spotify(request: HttpRequest) -> HttpResponse:
    """Ask first (GET), then go to Spotify (POST); for signing in and for connecting alike."""
    if not request.is_secure() and request.get_host().split(":")[0] == "localhost":
        # Spotify sends people back to 127.0.0.1, where a session made on localhost is unknown.
        return redirect(settings.SITE_URL + request.get_full_path())
    if request.method == "POST":
        response: HttpResponse = begin_social_auth(request, "spotify")
        return response
    context = {"next": request.GET.get("next", "")}
    return render(request, "accounts/connect_spotify.html", context)


@login_required
def disconnect_spotify(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    context = {"has_password": selectors.has_password_sign_in(user)}
    if request.method != "POST" or not context["has_password"]:
        return render(request, "accounts/disconnect_spotify.html", context)
    services.disconnect_spotify(user=user)
    messages.success(request, "Spotify is disconnected, and everything from it is deleted.")
    return redirect("accounts:account")


@login_required
def password(request: HttpRequest) -> HttpResponse:
    """Add an address and a password to an account that has only Spotify."""
    user = _me(request)
    if selectors.has_password_sign_in(user):
        return redirect("accounts:password_change")
    form = PasswordSignInForm(user, _sent(request), initial={"email": user.email})
    if form.is_valid() and _has_set_password(user, form):
        update_session_auth_hash(request, user)
        messages.success(request, "You can now sign in with your e-mail address and password.")
        return redirect("accounts:account")
    return render(request, "accounts/password.html", {"form": form})


def _has_set_password(user: User, form: PasswordSignInForm) -> bool:
    email, new = form.cleaned_data["email"], form.cleaned_data["new_password1"]
    try:
        services.set_password_sign_in(user=user, email=email, password=new)
    except services.EmailTaken:
        form.add_error("email", TAKEN)
        return False
    return True


@require_POST
@login_required
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    form = ApiTokenForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Please say what the token is for.")
        return redirect("accounts:account")
    token, plain = services.issue_api_token(user=_me(request), label=form.cleaned_data["label"])
    return render(request, "accounts/token.html", {"token": token, "plain": plain})


@require_POST
@login_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(selectors.active_api_tokens(_me(request)), pk=pk)
    services.revoke_api_token(token=token)
    messages.success(request, f"The token “{token.label}” no longer works.")
    return redirect("accounts:account")


@require_POST
@login_required
def export(request: HttpRequest) -> FileResponse:
    """Everything about the person as a zip, made in a temporary file and streamed from there."""
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (FileResponse closes it)
    services.export_account(user=_me(request), out=file)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename="storify.zip", content_type="application/zip"
    )


@login_required
def delete(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    form = DeleteAccountForm(_sent(request), user=user)
    if form.is_valid():
        services.delete_account(user=user)
        logout(request)
        messages.success(request, "Your account and everything in it are deleted. Goodbye!")
        return redirect("accounts:sign_in")
    return render(request, "accounts/delete.html", {"form": form})
