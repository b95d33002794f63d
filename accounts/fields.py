"""Model fields."""

from typing import Any

from django.db import models

from accounts.encryption import decrypt, encrypt


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is stored as a Fernet token.

    The same text is stored differently each time, so it can't be searched for. A value that no
    current key decrypts reads as "": its owner is asked to sign in again, and pages that load the
    row keep working.
    """

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if prepared else prepared

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        if not value:
            return value
        return decrypt(value) or ""
