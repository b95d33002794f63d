"""Account pages: sign-in, passwords, consent, tokens, data."""

import tempfile
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth import views as auth_views
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import login_throttle, selectors, services
from accounts.pages.forms import (
    ApiTokenForm,
    DeleteAccountForm,
    FacesConsentForm,
    ImproveConsentForm,
    SignInForm,
)
from accounts.pages.spotify import spotify_context
from accounts.web.access import PageRequest, signed_in
from accounts.web.bidi import isolate
from accounts.web.redirects import next_page

FACES_ERASED = (
    "Storify no longer uses faces, and what it read from them in your stories is deleted. Within a"
    " minute, moods and music are worked out from the rest. Anything you set yourself stays."
)
REVIEWS_ALLOWED = (
    "Thank you! Staff may now review your photos and what Storify says about them. You can change"
    " your mind here at any time."
)
REVIEWS_WITHDRAWN = (
    "Your photos have been taken out of all reviews, and they won't be in any training data that is"
    " put together from now on. What was counted without your photos stays."
)


def _submitted(request: HttpRequest) -> QueryDict | None:
    """The submitted data, which may be empty; None for a GET request."""
    return request.POST if request.method == "POST" else None


class SignIn(auth_views.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class ChangePassword(auth_views.PasswordChangeView):
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("accounts:account")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, f"Your password has been changed. {services.OTHERS_ENDED}")
        return super().form_valid(form)


class ConfirmPasswordReset(auth_views.PasswordResetConfirmView):
    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:sign_in")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, f"Your new password has been saved. {services.OTHERS_ENDED}")
        login_throttle.forget_attempts(form.user.email, self.request)
        return super().form_valid(form)


@signed_in
def notice(request: PageRequest) -> HttpResponse:
    """Ask whether emotion may be estimated from faces."""
    form, user = FacesConsentForm(_submitted(request)), request.user
    goal = next_page(request, settings.LOGIN_REDIRECT_URL)
    if form.is_valid():
        withdrawn = user.faces_consent and not form.cleaned_data["agreed"]
        services.record_faces_consent(user=user, agreed=form.cleaned_data["agreed"])
        if form.cleaned_data["improve"]:
            services.record_improve_consent(user=user, agreed=True)
        if withdrawn:
            messages.success(request, FACES_ERASED)
        return redirect(goal)
    return render(request, "accounts/notice.html", {"form": form, "next": goal})


@require_POST
@signed_in
def improve(request: PageRequest) -> HttpResponse:
    """Record whether staff may review the user's photos."""
    form = ImproveConsentForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Please choose yes or no.")
    else:
        agreed = form.cleaned_data["agreed"]
        services.record_improve_consent(user=request.user, agreed=agreed)
        messages.success(request, REVIEWS_ALLOWED if agreed else REVIEWS_WITHDRAWN)
    return redirect("accounts:account")


@never_cache
@signed_in
def account(request: PageRequest) -> HttpResponse:
    user = request.user
    context = {
        **spotify_context(request),
        "has_password": selectors.has_password_sign_in(user),
        "tokens": selectors.active_api_tokens(user),
        "token_form": ApiTokenForm(),
    }
    return render(request, "accounts/account.html", context)


@require_POST
@signed_in
@never_cache
def make_token(request: PageRequest) -> HttpResponse:
    form = ApiTokenForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Please say what the token is for.")
        return redirect("accounts:account")
    try:
        token, plain = services.issue_api_token(user=request.user, label=form.cleaned_data["label"])
    except services.PasswordReplaced:  # which also ended this session
        return redirect("accounts:account")
    return render(request, "accounts/token.html", {"token": token, "plain": plain})


@require_POST
@signed_in
def revoke_token(request: PageRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(selectors.active_api_tokens(request.user), pk=pk)
    services.revoke_api_token(token=token)
    messages.success(request, f"The token “{isolate(token.label)}” no longer works.")
    return redirect("accounts:account")


@require_POST
@signed_in
def export(request: PageRequest) -> FileResponse:
    """Stream everything stored about the user as a zip, from a temporary file."""
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (FileResponse closes it)
    services.export_account(user=request.user, out=file)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename="storify.zip", content_type="application/zip"
    )


@signed_in
def delete(request: PageRequest) -> HttpResponse:
    user = request.user
    form = DeleteAccountForm(_submitted(request), user=user)
    if form.is_valid():
        services.delete_account(user=user)
        logout(request)
        messages.success(request, "Your account and everything in it have been deleted. Goodbye!")
        return redirect("accounts:sign_in")
    return render(request, "accounts/delete.html", {"form": form})
