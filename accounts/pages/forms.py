"""Forms of the account pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import login_throttle
from accounts.models import User, UserManager


class AddressForm(forms.Form):
    """An e-mail address to send a link to, rate-limited."""

    email = forms.EmailField(
        max_length=254,
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request.POST if request.method == "POST" else None, **kwargs)
        self.request = request

    def clean_email(self) -> str:
        email = UserManager.normalize_email(self.cleaned_data["email"])
        login_throttle.count_mail(email, self.request)
        return email


class ChoosePasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Sets a first password, with labels to match."""

    new_password1, new_password2 = SetPasswordForm.create_password_fields()


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "That e-mail address and password don't match.",
        "inactive": "This account has been closed.",
    }


def _yes_or_no() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], coerce=lambda value: value == "yes"
    )


class FacesConsentForm(forms.Form):
    """The notice about faces; `improve` is a question of its own and can only be ticked."""

    agreed = _yes_or_no()
    improve = forms.BooleanField(required=False)


class ImproveConsentForm(forms.Form):
    agreed = _yes_or_no()


class ApiTokenForm(forms.Form):
    label = forms.CharField(
        max_length=80,
        label="What is it for?",
        widget=forms.TextInput(attrs={"placeholder": "My phone", "autocomplete": "off"}),
    )


class DeleteAccountForm(forms.Form):
    """Confirms a deletion with the password, or by typing “delete” without one."""

    confirmation = forms.CharField(strip=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        field = self.fields["confirmation"]
        if user.has_usable_password():
            field.label = "Your password"
            field.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        else:
            field.label = "Type “delete” to confirm"
            field.widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"})

    def clean_confirmation(self) -> str:
        value: str = self.cleaned_data["confirmation"]
        if self.user.has_usable_password():
            if not self.user.check_password(value):
                raise ValidationError("That isn't your password.", code="wrong_password")
        elif value.strip().lower() != "delete":
            raise ValidationError("Type “delete” to confirm.", code="not_confirmed")
        return value
