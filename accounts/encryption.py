"""Encryption of secrets at rest, with key rotation."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])


def encrypt(plain: str) -> str:
    """Encrypt with the newest key."""
    return _fernet().encrypt(plain.encode()).decode("ascii")


def decrypt(sealed: str) -> str | None:
    """Decrypt with any current key; None if its key was removed."""
    try:
        return _fernet().decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        return None
