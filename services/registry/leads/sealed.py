"""What people say in leads, at rest: encrypted whole, since names and numbers stand in it."""

from services.registry.households.sealed import show_name as masked
from shared import crypto

_WORDS = "registry.lead_words"
_NAME = "registry.lead_name"


def seal_words(words: str) -> bytes:
    """A report or findings, encrypted."""
    return crypto.encrypt(words, purpose=_WORDS)


def show_words(sealed: bytes) -> str:
    """A report or findings as written."""
    return crypto.decrypt(sealed, purpose=_WORDS)


def seal_name(name: str | None) -> bytes | None:
    """A name, encrypted; nothing for an empty one."""
    return crypto.encrypt(name, purpose=_NAME) if name else None


def show_name(sealed: bytes | None, *, plain: bool) -> str | None:
    """A name, masked unless ``plain`` (scope pii:read)."""
    if sealed is None:
        return None
    return masked(crypto.decrypt(sealed, purpose=_NAME), plain=plain)
