"""Encryption of secrets at rest, with keys that can be rotated."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])


def encrypt(plain: str) -> str:
    """Encrypt with the newest key."""
    return _fernet().encrypt(plain.encode()).decode("ascii")


def decrypt(sealed: str) -> str | None:
    """Decrypt with whichever key fits; None when no key does (it was retired or lost)."""
    try:
        return _fernet().decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        return None
