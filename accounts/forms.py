from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, SetPasswordForm
from django.core.exceptions import ValidationError

from accounts.models import User, UserManager

TAKEN = "Somebody already signed up with this e-mail address."


def _unused_email(email: str, *, but: User | None = None) -> str:
    email = UserManager.normalize_email(email)
    others = User.objects.filter(email=email)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise ValidationError(TAKEN, code="taken")
    return email


class SignUpForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """Its checks only; the service makes the person."""

    class Meta:
        model = User
        fields = ("email",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].widget.attrs.update(autocomplete="email", autofocus=True)

    def clean_email(self) -> str:
        return _unused_email(self.cleaned_data["email"])


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "That e-mail address and password do not go together.",
        "inactive": "This account has been closed.",
    }


class PasswordSignInForm(SetPasswordForm):  # type: ignore[type-arg]
    """An address and a password for somebody who came through Spotify."""

    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    field_order = ("email", "new_password1", "new_password2")

    def clean_email(self) -> str:
        return _unused_email(self.cleaned_data["email"], but=self.user)

    def clean(self) -> dict[str, Any]:
        self.validate_passwords("new_password1", "new_password2")
        # Compared with the address that is asked for; the account itself stays as it is.
        would_be = User(email=self.cleaned_data.get("email"))
        self.validate_password_for_user(would_be, "new_password2")
        return self.cleaned_data


class FacesConsentForm(forms.Form):
    agreed = forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], coerce=lambda value: value == "yes"
    )


class ApiTokenForm(forms.Form):
    label = forms.CharField(
        max_length=80,
        label="What is it for?",
        widget=forms.TextInput(attrs={"placeholder": "My phone", "autocomplete": "off"}),
    )


class DeleteAccountForm(forms.Form):
    """Proof that the person at the keyboard is the one who signed in, or at least means it."""

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
                raise ValidationError("That is not your password.", code="wrong_password")
        elif value.strip().lower() != "delete":
            raise ValidationError("Please type the word delete.", code="not_confirmed")
        return value
