"""Pages that ask for an e-mail address: sign-up, adding a password, password reset.

They don't reveal who has an account: a worker looks the address up, and the e-mail says the rest.
"""

from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts import selectors, services, tasks
from accounts.mail import claims
from accounts.mail import messages as mails
from accounts.mail.backend import needs_mail
from accounts.mail.claims import Claim
from accounts.models import User
from accounts.pages.forms import AddressForm, ChoosePasswordForm
from accounts.web.access import PageRequest, signed_in
from accounts.web.redirects import next_page

PASSWORD_BACKEND = "accounts.backends.PasswordBackend"  # noqa: S105
MAILED, OPENED = "accounts:mailed", "accounts:opened"
MAX_GOAL_LENGTH = 200


@never_cache
@needs_mail
def sign_up(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = AddressForm(request)
    if form.is_valid():
        goal = next_page(request, settings.LOGIN_REDIRECT_URL)
        goal = goal if len(goal) <= MAX_GOAL_LENGTH else ""
        return _mail_confirmation(request, form.cleaned_data["email"], goal)
    context = {"form": form, "next": request.GET.get("next", "")}
    return render(request, "accounts/sign_up.html", context)


@never_cache
@needs_mail
@signed_in
def password(request: PageRequest) -> HttpResponse:
    """Add an address and a password to an account that only has Spotify."""
    user = request.user
    if selectors.has_password_sign_in(user):
        return redirect("accounts:password_change")
    form = AddressForm(request, initial={"email": user.email})
    if form.is_valid():
        return _mail_confirmation(request, form.cleaned_data["email"], user_pk=user.pk)
    return render(request, "accounts/password.html", {"form": form})


def _mail_confirmation(
    request: HttpRequest, email: str, goal: str = "", user_pk: int | None = None
) -> HttpResponse:
    tasks.mail_confirmation.delay(email, goal, user_pk)
    request.session[MAILED] = [email, goal, user_pk]
    return redirect("accounts:mail_sent")


@never_cache
def mail_sent(request: HttpRequest) -> HttpResponse:
    if MAILED not in request.session:
        return redirect("accounts:sign_up")
    claim = Claim(*request.session[MAILED])
    mail = mails.confirm_address(claim) if mails.appear_on_the_page() else None
    return render(request, "accounts/mail_sent.html", {"email": claim.email, "mail": mail})


@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Move the token from the URL, which might be logged, into the session."""
    if claims.read(token) is None:
        return render(request, "accounts/link_unusable.html")
    request.session[OPENED] = token
    return redirect("accounts:choose_password")


@never_cache
def choose_password(request: HttpRequest) -> HttpResponse:
    """Let whoever opened the link choose a password for the address."""
    claim = claims.read(request.session.get(OPENED, ""))
    if claim is None or not _is_for(claim, request):
        return render(request, "accounts/link_unusable.html")
    if claim.user_pk and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    sent = request.POST if request.method == "POST" else None
    form = ChoosePasswordForm(User(email=claim.email), sent)
    if not form.is_valid():
        return render(request, "accounts/choose_password.html", {"form": form, "claim": claim})
    del request.session[OPENED]
    finish = _add_password if claim.user_pk else _sign_up
    try:
        return finish(request, claim, form.cleaned_data["new_password1"])
    except services.EmailTaken:  # the link was used twice, or the address was added elsewhere
        return render(request, "accounts/link_unusable.html")


def _is_for(claim: Claim, request: HttpRequest) -> bool:
    """Whether the claim is for this visitor: nobody else's, and no password yet."""
    if isinstance(request.user, User):
        return claim.user_pk == request.user.pk and not selectors.has_password_sign_in(request.user)
    return True


def _sign_up(request: HttpRequest, claim: Claim, password: str) -> HttpResponse:
    user = services.sign_up(email=claim.email, password=password)
    login(request, user, backend=PASSWORD_BACKEND)
    return redirect(f"{reverse('accounts:notice')}?{urlencode({'next': claim.goal or '/'})}")


def _add_password(request: HttpRequest, claim: Claim, password: str) -> HttpResponse:
    user = cast(User, request.user)
    services.set_password_sign_in(user=user, email=claim.email, password=password)
    update_session_auth_hash(request, user)
    now = "You can now sign in with your e-mail address and password."
    messages.success(request, f"{now} {services.OTHERS_ENDED}")
    return redirect("accounts:account")


@never_cache
@needs_mail
def password_reset(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request)
    if form.is_valid():
        tasks.mail_password_reset.delay(form.cleaned_data["email"])
        return redirect("accounts:password_reset_sent")
    return render(request, "accounts/password_reset.html", {"form": form})


def password_reset_sent(request: HttpRequest) -> HttpResponse:
    context = {"in_terminal": mails.appear_on_the_page()}
    return render(request, "accounts/password_reset_sent.html", context)
