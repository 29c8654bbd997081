"""What a plan says in words, at rest: encrypted whole, since names stand in it."""

from shared import crypto

_WORDS = "registry.plan_words"


def seal_words(words: str) -> bytes:
    """A plan's or a result's words, encrypted."""
    return crypto.encrypt(words.strip(), purpose=_WORDS)


def show_words(sealed: bytes) -> str:
    """The words as written."""
    return crypto.decrypt(sealed, purpose=_WORDS)
